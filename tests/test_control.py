"""Algorithm 10 on a plant small enough to know: observe, adapt, plan, check, command."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from ros_mbmrl.adaptation.guard import Guard, GuardConfig
from ros_mbmrl.adaptation.residual import MeanResidual
from ros_mbmrl.agents.live import LiveAgent
from ros_mbmrl.control import ControlLoop, Step
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.dynamics.normalizer import Normalizer
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.planning import make_planner
from ros_mbmrl.planning.modes import Mode
from ros_mbmrl.robots.estimator import StateEstimator
from ros_mbmrl.robots.measurement import Measurement
from ros_mbmrl.robots.spec import Array, Robot
from ros_mbmrl.safety.monitor import SafetyMonitor
from ros_mbmrl.safety.types import Level, SafetyConfig

GAINS = np.ones(3)


class ToyPlant:
    """The toy itself; `mask` scales what of a command reaches its motors."""

    simulated = True

    def __init__(self, robot: Robot, change: Callable[..., Array]) -> None:
        self._robot, self._change = robot, change
        self.state, self.now, self.mask = np.zeros(4), 0.0, np.ones(2)
        self.received: list[Array] = []

    def __enter__(self) -> ToyPlant:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def observe(self) -> Measurement:
        return Measurement(self.now, self.state.copy())

    def command(self, action: Array) -> None:
        self.received.append(action.copy())

    def advance(self, duration: float) -> None:
        change = self._change(self.state[3], self.mask * self.received[-1], GAINS)
        moved = self._robot.advance(torch.from_numpy(self.state), torch.from_numpy(change))
        self.state, self.now = moved.numpy(), self.now + duration

    def stop(self) -> None:
        self.received.append(np.zeros(2))


class Parts:
    """A loop and all that it is made of."""

    def __init__(self, robot: Robot, change: Callable[..., Array], task: Any) -> None:
        one = torch.ones
        normalizer = Normalizer(torch.zeros(3), one(3), torch.zeros(4), one(4))
        self.model = DynamicsModel(robot, MLP((3, 4)), normalizer)
        # the toy's own dynamics, but for a speed that the model thinks is slower to rise
        weights = [[0.05, 0, 0, -0.5], [0.05, 0, 0, 0.2], [0, 0, 0.3, 0]]
        self.parameters: Parameters = {"w0": torch.tensor(weights), "b0": torch.zeros(4)}
        self.guard = Guard(MeanResidual(), self.parameters, 8, GuardConfig())
        self.plant, self.task = ToyPlant(robot, change), task
        ticks = itertools.count()
        self.agent = LiveAgent(
            self.model,
            self.guard,
            make_planner("mppi", robot.spec, num_samples=64),
            torch.Generator().manual_seed(0),
            clock=lambda: float(next(ticks)),
        )
        self.agent.follow(task)
        self.safety = SafetyMonitor(robot, SafetyConfig(start_updates=1))
        self.loop = ControlLoop(self.plant, StateEstimator(robot), self.agent, self.safety)

    def run(self, steps: int) -> list[Step]:
        return [self.loop.step(0.1) for _ in range(steps)]


@pytest.fixture
def parts(robot: Robot, change: Callable[..., Array], task: Any) -> Parts:
    """A fresh loop."""
    return Parts(robot, change, task)


def test_the_goal_is_reached(parts: Parts) -> None:
    steps = parts.run(25)
    assert parts.plant.state[3] > 0.8  # the top speed is 1
    assert all(step.checked.level == Level.RUN for step in steps)
    assert all(step.plan is not None for step in steps)


def test_what_is_sent_is_what_safety_let_through(parts: Parts) -> None:
    steps = parts.run(10)
    for step, received in zip(steps, parts.plant.received, strict=True):
        assert np.array_equal(step.checked.action, received)


def test_the_window_fills_by_one_a_step_up_to_t1(parts: Parts) -> None:
    counts = [step.adapted.report.transitions for step in parts.run(12)]
    assert counts == [0, 1, 2, 3, 4, 5, 6, 7, 8, 8, 8, 8]


def test_adaptation_lowers_the_error_and_the_prior_survives_the_run(parts: Parts) -> None:
    before = {name: value.clone() for name, value in parts.parameters.items()}
    reports = [step.adapted.report for step in parts.run(20)]
    accepted = [report for report in reports if report.accepted]
    assert accepted
    assert all(r.error_after < r.error_before for r in accepted)
    assert all(torch.equal(parts.parameters[name], before[name]) for name in before)


def test_the_commanded_not_the_masked_action_is_in_the_window(parts: Parts) -> None:
    parts.plant.mask = np.array([0.2, 1.0])  # a fault that nobody tells the model
    steps = parts.run(9)
    window = parts.agent._window.transitions()
    sent = np.array([step.checked.action for step in steps[:-1]])
    np.testing.assert_allclose(window.actions, sent, rtol=1e-6)
    speeds = [step.state[3] for step in steps]
    np.testing.assert_allclose(window.changes[:, 3], np.diff(speeds), atol=1e-6)


def test_no_finite_plan_is_a_hold_and_the_loop_goes_on(parts: Parts) -> None:
    parts.run(10)
    parts.task.penalty = float("nan")
    failed = parts.run(3)
    for step in failed:
        assert step.plan is None
        assert step.checked.level == Level.HOLD
        assert any("plan" in reason for reason in step.checked.reasons)
        assert step.checked.action.tolist() == [0.0, 0.0]
    parts.task.penalty = 0.0
    recovered = parts.run(3)
    assert recovered[-1].plan is not None
    assert recovered[-1].checked.level == Level.RUN
    assert parts.plant.state[3] > 0.1
    assert recovered[0].adapted.report.transitions == 8  # holding is data, too


def test_a_state_of_nan_does_no_lasting_harm(parts: Parts) -> None:
    parts.run(10)
    good = parts.plant.state.copy()
    parts.plant.state = np.full(4, np.nan)
    parts.plant.advance = lambda duration: None  # type: ignore[method-assign]
    (step,) = parts.run(1)
    assert step.checked.level >= Level.HOLD
    assert np.isfinite(step.checked.action).all()
    del parts.plant.advance
    parts.plant.state, parts.plant.now = good, parts.plant.now + 0.1
    recovered = parts.run(4)
    assert recovered[-1].plan is not None
    assert all(np.isfinite(s.checked.action).all() for s in recovered)
    assert all(np.isfinite(s.adapted.report.error_after) for s in recovered)


def test_a_gap_in_time_empties_the_window(parts: Parts) -> None:
    parts.run(5)
    parts.plant.now += 0.3
    assert [step.adapted.report.transitions for step in parts.run(3)] == [0, 1, 2]


def test_the_same_seed_gives_the_same_run(
    robot: Robot, change: Callable[..., Array], task: Any
) -> None:
    first, second = (Parts(robot, change, task) for _ in range(2))
    first.run(8)
    second.run(8)
    assert np.array_equal(first.plant.received, second.plant.received)


def test_times_come_from_the_clock(parts: Parts) -> None:
    (step,) = parts.run(1)
    assert (step.adapt_seconds, step.plan_seconds) == (1.0, 1.0)


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_a_state_that_is_no_number_leaves_nothing_behind(parts: Parts, wrong: float) -> None:
    parts.run(3)
    good = parts.plant.state.copy()
    parts.plant.state = np.full_like(good, wrong)
    step = parts.loop.step(0.0)
    assert step.plan is None and step.adapted.report.transitions == 0
    parts.plant.state = good
    parts.plant.now += 0.1
    assert all(step.plan is not None for step in parts.run(2))


class Finished:
    """A task that is over after some steps; it must not be planned for then."""

    def __init__(self, task: Any, steps: int) -> None:
        self._task, self._left, self.finished = task, steps, False

    def reference(self, state: Array) -> Any:
        self.finished = self._left <= 0
        self._left -= 1
        return self._task.reference(state)

    def cost(self, states: Any, actions: Any, reference: Any) -> Any:
        assert not self.finished
        return self._task.cost(states, actions, reference)


def test_the_robot_rests_once_its_task_is_finished(parts: Parts) -> None:
    parts.agent.follow(Finished(parts.task, 4))
    steps = parts.run(8)
    plans = [step.plan for step in steps if step.plan is not None]
    assert [plan.mode for plan in plans] == [Mode.FULL] * 4 + [Mode.FINISHED] * 4
    assert any(step.checked.action.any() for step in steps[:4])
    assert not any(step.checked.action.any() for step in steps[4:])
