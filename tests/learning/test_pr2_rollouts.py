"""Excitation of the arm's twin: torques within range and rate, and rollouts of it."""

from __future__ import annotations

import numpy as np
import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.learning.pr2_rollouts import random_torques
from ros_mbmrl.learning.twin_rollouts import collect_rollouts
from ros_mbmrl.robots import make_robot


def test_the_arms_torques_are_within_range_and_rate_and_often_small() -> None:
    spec = make_robot("pr2_arm").spec
    policy = random_torques(spec, np.random.default_rng(0))
    torques = np.array([policy() for _ in range(4000)]) / spec.action_high
    assert np.abs(torques).max() <= 1
    assert (np.abs(np.diff(torques, axis=0)) <= 1 + 1e-9).all()
    assert np.abs(torques.mean(axis=0)).max() < 0.1
    assert (np.abs(torques) < 0.1).mean() > 0.25
    assert (np.abs(torques) > 0.5).mean() > 0.05


def test_the_arm_is_collected_on_by_the_same_code() -> None:
    arm = make_robot("pr2_arm")
    alone = collect_rollouts(arm, 3, 8, seed=7, processes=1)
    pair = collect_rollouts(arm, 3, 8, seed=7, processes=2)
    assert all((a.states == b.states).all() for a, b in zip(alone, pair, strict=True))
    assert [len(r) for r in alone] == [8, 8, 8]
    assert alone[0].states.shape == (9, 23)
    assert {r.robot for r in alone} == {"pr2_arm"}
    assert {r.tags["terrain"] for r in alone} == {"bench"}
    assert not np.allclose(alone[0].states[0], alone[1].states[0])


def test_a_place_of_another_robot_is_refused() -> None:
    with pytest.raises(UserError, match="unknown terrain 'carpet': expected one of bench"):
        collect_rollouts(make_robot("pr2_arm"), 1, 8, terrains=("carpet",))
