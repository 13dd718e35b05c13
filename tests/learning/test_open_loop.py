"""Open-loop errors, by hand and by their invariants."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from ros_mbmrl.adaptation import make_rule
from ros_mbmrl.adaptation.guard import Guard, GuardConfig
from ros_mbmrl.adaptation.prior import Prior
from ros_mbmrl.adaptation.residual import MeanResidual
from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.dynamics.normalizer import Normalizer
from ros_mbmrl.errors import UserError
from ros_mbmrl.learning.open_loop import open_loop_errors, places, turns
from ros_mbmrl.learning.segments import Transitions
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.robots.conditioned import ConditionedRobot
from ros_mbmrl.robots.quantities import Cause, Quantity
from ros_mbmrl.robots.spec import Robot

PriorModel = tuple[DynamicsModel, Parameters]
Make = Callable[..., list[Rollout]]


@pytest.fixture
def still(robot: Robot) -> PriorModel:
    """A model that says nothing ever moves, in SI units."""
    one = torch.ones
    normalizer = Normalizer(torch.zeros(3), one(3), torch.zeros(4), one(4))
    parameters = {"w0": torch.zeros(3, 4), "b0": torch.zeros(4)}
    return DynamicsModel(robot, MLP((3, 4)), normalizer), parameters


def straight(robot: Robot, steps: int = 12) -> Transitions:
    """The transitions of `straight_rollouts`."""
    return Transitions.of(robot, straight_rollouts(robot, steps))


def straight_rollouts(robot: Robot, steps: int = 12) -> list[Rollout]:
    """A toy that drives 2 cm a period, in its own frame always the same."""
    state, states = torch.zeros(4), [torch.zeros(4)]
    for _ in range(steps):
        state = robot.advance(state, torch.tensor([0.02, 0.0, 0.0, 0.0]))
        states.append(state)
    rollout = Rollout(
        "toy",
        torch.stack(states).numpy(),
        np.zeros((steps, 2), dtype=np.float32),
        0.1 * np.arange(steps + 1),
        np.zeros(steps, dtype=np.uint8),
    )
    return [rollout]


def test_a_model_with_inputs_for_causes_is_told_them(robot: Robot) -> None:
    """It moves by 2 cm a period for each newton of a push; data that do not tell, tell of none."""
    pushed = copy.copy(robot)
    cause = Cause("push", "N", -2.0, 2.0, 0.0, (-1.0, 1.0))
    pushed.spec = replace(robot.spec, causes=(cause,))  # type: ignore[misc]
    known = ConditionedRobot(pushed)
    parameters = {"w0": torch.zeros(4, 4), "b0": torch.zeros(4)}
    parameters["w0"][1, 0] = 0.02 * 0.5  # an input's deviation is half a newton
    std = torch.tensor([1.0, 0.5, 1.0, 1.0])
    normalizer = Normalizer(torch.zeros(4), std, torch.zeros(4), torch.ones(4))
    model = DynamicsModel(known, MLP((4, 4)), normalizer)
    (rollout,) = straight_rollouts(robot)
    steps = len(rollout.actions)
    told = replace(
        rollout,
        causes=np.ones((steps, 1), dtype=np.float32),
        effectiveness=np.ones((steps, 2), dtype=np.float32),
    )
    guard = Guard(Prior(), parameters, 6, GuardConfig())
    right = open_loop_errors(model, guard, Transitions.of(known, [told], effective=True), 3)
    assert float(right.metres.max()) < 1e-6
    blind = open_loop_errors(model, guard, Transitions.of(known, [told]), 3)
    np.testing.assert_allclose(blind.metres[0, 0], [0.02, 0.04, 0.06], atol=1e-3)


def test_errors_of_a_model_that_stands_still_by_hand(robot: Robot, still: PriorModel) -> None:
    model, parameters = still
    guard = Guard(Prior(), parameters, 6, GuardConfig())
    errors = open_loop_errors(model, guard, straight(robot), 3)
    assert errors.rows.tolist() == [6, 7, 8, 9]
    assert errors.metres.shape == errors.normalised.shape == (2, 4, 3)
    torch.testing.assert_close(errors.metres[0, 0], torch.tensor([0.02, 0.04, 0.06]))
    assert errors.radians.abs().max() == 0
    # weight of `forward` 2 of mean 1.5; h steps of .02 over sqrt(h), four outputs
    expected = [(2 / 1.5) * (0.02 * h / h**0.5) ** 2 / 4 for h in (1, 2, 3)]
    torch.testing.assert_close(errors.normalised[0, 0], torch.tensor(expected))


def test_where_a_robot_is_and_how_it_is_turned(robot: Robot) -> None:
    assert places(robot) == [0, 1]
    assert turns(robot.spec) == [2]
    points = (Quantity("point_x", "m"), Quantity("point_y", "m"))
    joints = tuple(Quantity(name, "rad") for name in ("shoulder", "elbow"))
    state = (Quantity("speed", "m/s"), *points, Quantity("elbow", "rad"))
    changes = (*joints, Quantity("speed", "m/s"), Quantity("force", "N"))
    arm = copy.copy(robot)
    arm.spec = replace(robot.spec, state=state, changes=changes)
    assert places(arm) == [1, 2]
    assert turns(arm.spec) == [0, 1]


def test_a_model_that_learns_the_shift_has_no_error(robot: Robot, still: PriorModel) -> None:
    model, parameters = still
    parameters["w0"][0, 2] = 1e-6  # a norm that is not zero
    guard = Guard(MeanResidual(gain=1.0), parameters, 6, GuardConfig(max_change=1e9))
    errors = open_loop_errors(model, guard, straight(robot), 3)
    assert errors.accepted.all()
    assert errors.metres[1].max() < 1e-5
    assert errors.metres[0].min() > 0.01


def test_the_prior_is_not_touched_by_the_rule_or_the_guard(
    prior: PriorModel, rollouts: list[Rollout]
) -> None:
    model, parameters = prior
    data = Transitions.of(model.robot, rollouts)
    results = [
        open_loop_errors(
            model, Guard(make_rule(method), parameters, 8, GuardConfig(enabled=enabled)), data, 4
        )
        for method in ("mb", "residual", "mb_de")
        for enabled in (True, False)
    ]
    for other in results[1:]:
        assert torch.equal(results[0].normalised[0], other.normalised[0])
    assert torch.equal(results[0].normalised[0], results[0].normalised[1])  # mb is the prior
    assert not torch.equal(results[2].normalised[1], results[3].normalised[1])


def test_a_refused_update_predicts_as_the_prior(prior: PriorModel, rollouts: list[Rollout]) -> None:
    model, parameters = prior
    data = Transitions.of(model.robot, rollouts)
    errors = open_loop_errors(model, Guard(MeanResidual(), parameters, 8, GuardConfig()), data, 4)
    refused = ~errors.accepted
    assert refused.any()
    assert errors.accepted.any()
    torch.testing.assert_close(errors.normalised[0, refused], errors.normalised[1, refused])


def test_the_batch_size_does_not_matter(prior: PriorModel, rollouts: list[Rollout]) -> None:
    model, parameters = prior
    data = Transitions.of(model.robot, rollouts)
    guard = Guard(MeanResidual(), parameters, 8, GuardConfig())
    one, many = (open_loop_errors(model, guard, data, 4, batch=b) for b in (1000, 7))
    torch.testing.assert_close(one.normalised, many.normalised)
    assert torch.equal(one.accepted, many.accepted)
    assert torch.equal(one.rows, many.rows)


def test_no_predicted_stretch_touches_a_marked_row_but_windows_may(
    prior: PriorModel, make_rollouts: Make
) -> None:
    model, parameters = prior
    (rollout,) = make_rollouts(1, steps=20)
    rollout.marks[12] = 4
    data = Transitions.of(model.robot, [rollout])
    errors = open_loop_errors(model, Guard(Prior(), parameters, 8, GuardConfig()), data, 3)
    assert errors.rows.tolist() == [8, 9, 13, 14, 15, 16, 17]


def test_adaptation_sees_only_what_came_before(prior: PriorModel, make_rollouts: Make) -> None:
    model, parameters = prior
    (rollout,) = make_rollouts(1, steps=14)
    data = Transitions.of(model.robot, [rollout])
    later = replace(data, changes=data.changes.clone())
    later.changes[8:] += 3.0
    guard = Guard(MeanResidual(), parameters, 8, GuardConfig(enabled=False))
    first = [open_loop_errors(model, guard, d, 3).normalised[:, 0] for d in (data, later)]
    assert torch.equal(*first)


def test_nothing_to_judge_is_said(prior: PriorModel, make_rollouts: Make) -> None:
    model, parameters = prior
    guard = Guard(Prior(), parameters, 8, GuardConfig())
    for data in (
        Transitions.of(model.robot, make_rollouts(2, steps=10)),
        Transitions.of(model.robot, [replace(r, marks=r.marks + 1) for r in make_rollouts(1)]),
    ):
        with pytest.raises(UserError, match="nothing to judge: expected a run with 3"):
            open_loop_errors(model, guard, data, 3)
