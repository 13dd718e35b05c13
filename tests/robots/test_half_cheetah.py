"""The half-cheetah's maps: x is no input, and pitch counts whole turns."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ros_mbmrl.robots.half_cheetah import SPEC, HalfCheetah

ROBOT = HalfCheetah()


def test_everything_but_x_is_an_input_of_the_model() -> None:
    state = torch.arange(18.0)
    z, sine, cosine, *others = ROBOT.features(state).tolist()
    assert (z, others) == (1.0, list(range(3, 18)))
    assert (sine, cosine) == pytest.approx((np.sin(2.0), np.cos(2.0)))
    names = [quantity.name for quantity in SPEC.state]
    assert SPEC.features == ("z", "sin_pitch", "cos_pitch", *names[3:])


def test_a_somersault_is_a_change_of_a_whole_turn() -> None:
    before = torch.zeros(18, dtype=torch.float64)
    after = before.clone()
    after[2] = 2 * np.pi
    change = ROBOT.difference(before, after)
    assert float(change[2]) == 2 * np.pi
    assert torch.equal(ROBOT.advance(before, change), after)


def test_it_has_no_pose_on_a_plane_and_follows_no_path() -> None:
    assert ROBOT.pose(np.zeros(18)) is None
    assert not ROBOT.follows_paths
    assert tuple(ROBOT.tasks()) == ("run",)


def test_features_do_not_count_somersaults() -> None:
    robot = HalfCheetah()
    state = torch.randn(5, 18, generator=torch.Generator().manual_seed(0))
    turned = state.clone()
    turned[:, 2] += 2 * torch.pi
    torch.testing.assert_close(robot.features(turned), robot.features(state), atol=1e-5, rtol=0.0)
    assert robot.features(state).shape == (5, len(robot.spec.features))


def test_policies_see_what_they_saw() -> None:
    robot, state = HalfCheetah(), torch.randn(2, 18)
    assert torch.equal(robot.observation(state), state[:, 1:])
    assert len(robot.observed) == 17


def test_a_model_from_before_keeps_its_features() -> None:
    robot = HalfCheetah()
    older = robot.as_modelled([quantity.name for quantity in robot.spec.state[1:]])
    state = torch.randn(2, 18)
    assert torch.equal(older.features(state), state[:, 1:])
    assert older.spec.features == robot.observed
    assert robot.as_modelled(robot.spec.features) is robot
    assert robot.as_modelled(["nothing"]) is robot
