"""Segments: three numbers, all data, no marked row."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import replace

import numpy as np
import pytest
import torch

from ros_mbmrl.data.rollout import Mark, Rollout
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.errors import UserError
from ros_mbmrl.learning.segments import SegmentSampler, Transitions
from ros_mbmrl.networks.mlp import Parameters
from ros_mbmrl.robots.conditioned import ConditionedRobot
from ros_mbmrl.robots.quantities import Cause
from ros_mbmrl.robots.spec import Robot

Prior = tuple[DynamicsModel, Parameters]
Make = Callable[..., list[Rollout]]


def marked(rollout: Rollout, rows: list[int]) -> Rollout:
    marks = rollout.marks.copy()
    marks[rows] = Mark.WILD
    return replace(rollout, marks=marks)


def test_statistics_are_those_of_all_unmarked_rows(robot: Robot, make_rollouts: Make) -> None:
    first, second = make_rollouts(2)
    data = Transitions.of(robot, [marked(first, [0, 3]), second])
    keep = np.ones(80, dtype=bool)
    keep[[0, 3]] = False
    actions = np.concatenate([first.actions, second.actions])[keep]
    speeds = np.concatenate([first.states[:-1, 3], second.states[:-1, 3]])[keep]
    normalizer = data.normalizer()
    expected = [speeds.mean(), *actions.mean(axis=0)]
    np.testing.assert_allclose(normalizer.input_mean, expected, atol=1e-5)
    np.testing.assert_allclose(normalizer.input_std[1:], actions.std(axis=0), rtol=1e-4)
    changes = data.changes.numpy()[keep]
    np.testing.assert_allclose(normalizer.change_std, changes.std(axis=0), rtol=1e-4)


def test_new_data_changes_the_statistics_of_the_old(robot: Robot, make_rollouts: Make) -> None:
    old, new = make_rollouts(1, seed=1), make_rollouts(1, seed=2)
    one, both = Transitions.of(robot, old), Transitions.of(robot, old + new)
    torch.testing.assert_close(one.features, both.features[:40])  # raw data is what is stored
    assert not torch.allclose(one.normalizer().input_mean, both.normalizer().input_mean)


def test_a_row_that_is_not_finite_is_not_trained_on(robot: Robot, make_rollouts: Make) -> None:
    (rollout,) = make_rollouts(1)
    rollout.states[5, 0] = np.nan
    rollout.actions[20, 0] = np.inf
    data = Transitions.of(robot, [rollout])
    assert torch.nonzero(data.keep[:, 0] == 0)[:, 0].tolist() == [4, 5, 20]
    normalizer = data.normalizer()
    assert torch.isfinite(normalizer.input_mean).all()
    assert torch.isfinite(normalizer.change_std).all()


def test_every_row_marked_is_said(robot: Robot, make_rollouts: Make) -> None:
    (rollout,) = make_rollouts(1)
    with pytest.raises(UserError, match="every transition is marked"):
        Transitions.of(robot, [marked(rollout, list(range(40)))]).normalizer()


def test_no_rollouts_and_those_of_another_robot_are_refused(
    robot: Robot, rollouts: list[Rollout]
) -> None:
    with pytest.raises(UserError, match="no rollouts"):
        Transitions.of(robot, [])
    with pytest.raises(UserError, match="'hexapod': expected 'toy'"):
        Transitions.of(robot, [replace(rollouts[0], robot="hexapod")])


def test_segments_never_cross_from_one_rollout_to_the_next(
    robot: Robot, make_rollouts: Make
) -> None:
    data = Transitions.of(robot, make_rollouts(2, steps=10))
    assert data.starts(8).tolist() == [0, 1, 2, 10, 11, 12]
    assert data.starts(10).tolist() == [0, 10]
    assert data.starts(11).tolist() == []
    assert data.starts(50).tolist() == []


def test_t1_t2_and_batch_are_three_numbers(prior: Prior, rollouts: list[Rollout]) -> None:
    model, _ = prior
    sampler = SegmentSampler(Transitions.of(model.robot, rollouts), (7,), 5)
    past, future = sampler.draw(model, 11, torch.Generator().manual_seed(0))
    assert past.x.shape == (11, 7, 3)
    assert past.y.shape == (11, 7, 4)
    assert future.x.shape == (11, 5, 3)
    assert future.y.shape == (11, 5, 4)


def test_the_future_follows_the_past(prior: Prior, make_rollouts: Make) -> None:
    model, _ = prior
    (rollout,) = make_rollouts(1, steps=12)
    data = Transitions.of(model.robot, [rollout])
    past, future = SegmentSampler(data, (8,), 4).draw(model, 1, torch.Generator())
    everything = data.support(model, torch.arange(12)[None])
    assert torch.equal(torch.cat([past.x, future.x], dim=1), everything.x)


def test_a_shorter_window_is_the_newest_part(prior: Prior, rollouts: list[Rollout]) -> None:
    model, _ = prior
    sampler = SegmentSampler(Transitions.of(model.robot, rollouts), (2, 6), 3)
    past, future = sampler.draw(model, 64, torch.Generator().manual_seed(0))
    got = {tuple(row.tolist()) for row in past.weight[..., 0]}
    assert got == {(0, 0, 0, 0, 1, 1), (1, 1, 1, 1, 1, 1)}
    assert future.weight.min() == 1


def test_marked_rows_have_no_weight_in_training_but_do_live(
    prior: Prior, make_rollouts: Make
) -> None:
    model, _ = prior
    (rollout,) = make_rollouts(1, steps=6)
    data = Transitions.of(model.robot, [marked(rollout, [1, 4])])
    rows = torch.arange(6)[None]
    assert data.support(model, rows).weight.flatten().tolist() == [1, 0, 1, 1, 0, 1]
    assert data.support(model, rows, marks=False).weight.flatten().tolist() == [1] * 6


def test_runs_that_are_too_short_are_refused(prior: Prior, rollouts: list[Rollout]) -> None:
    data = Transitions.of(prior[0].robot, rollouts)
    with pytest.raises(UserError, match="no run is long enough: expected at least 41 transitions"):
        SegmentSampler(data, (8, 32), 9)


def test_actions_are_taken_as_they_acted_where_that_is_known(
    robot: Robot, rollouts: list[Rollout]
) -> None:
    share = np.full_like(rollouts[0].actions, 0.5)
    known = replace(rollouts[0], effectiveness=share)
    found = Transitions.of(robot, [known], effective=True).actions.numpy()
    np.testing.assert_allclose(found, 0.5 * known.actions)
    np.testing.assert_array_equal(Transitions.of(robot, [known]).actions.numpy(), known.actions)
    with pytest.raises(UserError, match="does not tell what its actuators have lost"):
        Transitions.of(robot, [replace(known, effectiveness=None)], effective=True)


def test_a_bootstrap_is_as_many_segments_with_some_twice(
    robot: Robot, make_rollouts: Make, prior: Prior
) -> None:
    """About 1 - 1/e of the segments are among them, the same ones in every draw."""
    data = Transitions.of(robot, make_rollouts(20))
    whole = SegmentSampler(data, (4,), 4)
    own = whole.bootstrapped(torch.Generator().manual_seed(0))

    def seen(sampler: SegmentSampler) -> int:
        past, _ = sampler.draw(prior[0], 20_000, torch.Generator().manual_seed(1))
        return len(past.x.flatten(1).unique(dim=0))

    every = len(data.starts(8))
    assert seen(whole) == every
    assert 0.6 * every < seen(own) < 0.67 * every
    past, again = (own.draw(prior[0], 8, torch.Generator().manual_seed(2))[0].x for _ in range(2))
    assert torch.equal(past, again)


def test_causes_are_features_as_they_were_where_a_model_has_inputs_for_them(
    robot: Robot, rollouts: list[Rollout]
) -> None:
    robot = copy(robot)
    robot.spec = replace(robot.spec, causes=(Cause("push", "N", -2.0, 2.0, 0.0, (1.0,)),))
    length = len(rollouts[0])
    push = np.linspace(-1, 1, length, dtype=np.float32)[:, None]
    share = np.ones_like(rollouts[0].actions)
    known, conditioned = (
        replace(rollouts[0], effectiveness=share, causes=push),
        ConditionedRobot(robot),
    )
    told = Transitions.of(conditioned, [known], effective=True).features.numpy()
    np.testing.assert_array_equal(told[:, -1:], push)
    blind = Transitions.of(conditioned, [known]).features.numpy()
    np.testing.assert_array_equal(blind[:, :-1], told[:, :-1])
    assert not blind[:, -1].any()
    with pytest.raises(UserError, match="does not tell its causes: expected 1, got none"):
        Transitions.of(conditioned, [replace(known, causes=None)], effective=True)
