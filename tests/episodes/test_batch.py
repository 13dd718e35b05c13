"""Algorithm 10 for many robots at once: each row is the loop of one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from torch import Generator, Tensor

from ros_mbmrl.adaptation import make_rule
from ros_mbmrl.adaptation.members import over
from ros_mbmrl.agents.base import Action, Context, Diagnostics
from ros_mbmrl.agents.chance import RandomAgent
from ros_mbmrl.agents.live import make_live_agent
from ros_mbmrl.agents.model import ModelAgent
from ros_mbmrl.control import ControlLoop, Step
from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.dynamics.files import LoadedModel
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.episodes.batch import Episodes, run_episodes
from ros_mbmrl.learning.batch_collection import collect
from ros_mbmrl.learning.segments import Transitions
from ros_mbmrl.networks.ensemble import Ensemble
from ros_mbmrl.networks.mlp import MLP
from ros_mbmrl.robots.estimator import StateEstimator
from ros_mbmrl.robots.measurement import Measurement
from ros_mbmrl.robots.spec import Array, Robot
from ros_mbmrl.robots.task import Task
from ros_mbmrl.safety.monitor import SafetyMonitor
from ros_mbmrl.safety.types import Level, SafetyConfig
from ros_mbmrl.simulation.environment import (
    Environment,
    Flags,
    Observation,
    Transition,
    observe,
)
from ros_mbmrl.simulation.simulated_robots import make_simulated
from ros_mbmrl.simulation.situations import Situation, TimedFault

Change = Callable[[float, Array, Array], Array]
GAINS = np.array([[1.0, 1.0, 1.0], [0.3, -0.5, 0.2], [1.6, 0.4, -1.0]])
PLANNING = {"num_samples": 32, "horizon": 6, "temperature": 1.0}
WINDOW, STEPS, BREAKS = 10, 18, 12
METHODS = ("mb", "mb_de", "residual", "last_layer", "grbal", "rebal", "context", "bayes_context")
METHODS += ("bayes_context_ll", "leaky_context", "leaky_context_de", "kalman_last_layer", "mlsm_v1")


class Toys:
    """Toys with gains of their own; in the step BREAKS all of their drives turn round."""

    def __init__(self, robot: Robot, change: Change, gains: Array) -> None:
        self.robot, self.times, self.true = robot, np.zeros(len(gains)), np.zeros((len(gains), 4))
        self._change, self._gains, self._steps = change, gains.copy(), 0
        self.spoilt: Mapping[int, Sequence[int]] = {}  # by step: whose measurement is nan

    def __len__(self) -> int:
        return len(self.true)

    def tasks(self) -> list[Task]:
        return [SpeedTask(0.8)] * len(self)

    @property
    def goals(self) -> Array:
        return np.zeros((len(self), 0))

    def states(self) -> Array:
        states = self.true.copy()
        states[list(self.spoilt.get(self._steps, []))] = np.nan
        return states

    def observe(self) -> Observation:
        return observe(self.robot, self.true, self.goals)

    def reset(self, mask: Flags, situations: Sequence[Any], seeds: Sequence[int]) -> None:
        raise NotImplementedError

    def step(self, actions: Array) -> Transition:
        self._steps += 1
        if self._steps == BREAKS:
            self._gains[:, 0] *= -1
        before = self.true
        rows = zip(before, actions, self._gains, strict=True)
        change = np.array([self._change(s[3], action, gains) for s, action, gains in rows])
        moved = self.robot.advance(torch.from_numpy(before), torch.from_numpy(change))
        self.true, self.times = moved.numpy(), self.times + 0.1
        never = np.zeros(len(self), dtype=bool)
        return Transition(self.observe(), self.true[:, 3] - before[:, 3], never, never)


class OneRobot:
    """An environment of one as a plant, whose states are what it measures."""

    simulated = True

    def __init__(self, environment: Environment) -> None:
        self.environment = environment

    def observe(self) -> Measurement:
        count = len(self.environment.robot.spec.measurement)
        return Measurement(self.environment.times[0], self.environment.states()[0, :count])

    def command(self, action: Array) -> None:
        self.action = action[None]

    def advance(self, duration: float) -> None:
        self.environment.step(self.action)


@dataclass
class SpeedTask:
    """Keep a speed."""

    speed: float

    def reference(self, state: Array) -> Tensor:
        return torch.tensor([self.speed])

    def cost(self, states: Tensor, actions: Tensor, reference: Tensor) -> Tensor:
        wanted = reference.reshape(*reference.shape[:-1], 1, 1)
        return (states[..., 1:, 3] - wanted).square().mean(-1)


@dataclass
class BatchedSpeedTask(SpeedTask):
    batched = True


def load(
    robot: Robot, rollouts: list[Rollout], method: str, members: int | None = None
) -> LoadedModel:
    """An untrained model, of which adaptation makes something each time."""
    spec, generator = robot.spec, Generator().manual_seed(5)
    mlp = MLP((len(spec.features) + len(spec.action), 16, 16, len(spec.changes)))
    if members is not None:
        mlp = Ensemble(mlp.sizes, members=members)
    rule = over(make_rule(method), mlp)
    normalizer = Transitions.of(robot, rollouts).normalizer()
    prior = mlp.init(generator)
    own = rule.init(mlp, prior, generator)
    # maps from codes to biases start at zero, where every code is the prior
    own = {
        k: 0.1 * torch.randn(v.shape, generator=generator) if "condition." in k else v
        for k, v in own.items()
    }
    card: dict[str, Any] = {"method": method, "adapt_window": WINDOW}
    return LoadedModel(DynamicsModel(robot, mlp, normalizer), {**prior, **own}, card)


def run_alone(
    loaded: LoadedModel,
    robots: Any,
    task: Task,
    seed: int,
    steps: int = STEPS,
    delay: float = 0.0,
) -> list[Step]:
    robot = robots.robot
    agent = make_live_agent(loaded, task, planning=PLANNING, seed=seed, delay=delay)
    safety = SafetyMonitor(robot, SafetyConfig(start_updates=1))
    loop = ControlLoop(OneRobot(robots), StateEstimator(robot), agent, safety)  # type: ignore[arg-type]
    return [loop.step(0.1) for _ in range(steps)]


def run_together(
    loaded: LoadedModel,
    robots: Toys,
    tasks: Sequence[SpeedTask],
    steps: int = STEPS,
    delay: float = 0.0,
) -> Episodes:
    agent = ModelAgent(loaded, planning=PLANNING, delay=delay)
    return run_episodes(robots, agent, steps, range(5, 5 + len(robots)), tasks)


def told_of(episodes: Episodes) -> Diagnostics:
    assert episodes.diagnostics is not None
    return episodes.diagnostics


def assert_same(episodes: Episodes, n: int, steps: list[Step]) -> None:
    close = {"atol": 1e-3, "rtol": 1e-3}  # rounding, which the loop passes on from step to step
    reports = [step.adapted.report for step in steps]
    np.testing.assert_allclose(episodes.states[:-1, n], [s.state for s in steps], **close)
    np.testing.assert_allclose(episodes.actions[:, n], [s.checked.action for s in steps], **close)
    told = told_of(episodes)
    np.testing.assert_allclose(told.error_before[:, n], [r.error_before for r in reports], **close)
    np.testing.assert_allclose(told.error_after[:, n], [r.error_after for r in reports], **close)
    assert told.accepted[:, n].tolist() == [r.accepted for r in reports]
    assert episodes.levels[:, n].tolist() == [s.checked.level for s in steps]


@pytest.mark.parametrize("method", METHODS)
def test_each_of_three_is_the_loop_of_one(
    robot: Robot, change: Change, rollouts: list[Rollout], method: str
) -> None:
    loaded = load(robot, rollouts, method)
    tasks = [SpeedTask(speed) for speed in (0.8, 0.2, -0.5)]
    episodes = run_together(loaded, Toys(robot, change, GAINS), tasks)
    for n, task in enumerate(tasks):
        alone = run_alone(loaded, Toys(robot, change, GAINS[n : n + 1]), task, 5 + n)
        assert_same(episodes, n, alone)
    assert method == "mb" or told_of(episodes).accepted.any()


@pytest.mark.parametrize(
    ("method", "delay"), [*((name, 0.0) for name in METHODS), ("grbal", 0.14), ("rebal", 0.14)]
)
def test_each_of_three_with_an_ensemble_is_the_loop_of_one(
    robot: Robot, change: Change, rollouts: list[Rollout], method: str, delay: float
) -> None:
    loaded = load(robot, rollouts, method, members=3)
    tasks = [SpeedTask(speed) for speed in (0.8, 0.2, -0.5)]
    episodes = run_together(loaded, Toys(robot, change, GAINS), tasks, delay=delay)
    for n, task in enumerate(tasks):
        worlds = Toys(robot, change, GAINS[n : n + 1])
        assert_same(episodes, n, run_alone(loaded, worlds, task, 5 + n, delay=delay))
    assert method == "mb" or told_of(episodes).accepted.any()


@pytest.mark.parametrize("periods", [0.4, 1.0, 1.6])
@pytest.mark.parametrize("method", ["grbal", "rebal"])
def test_each_of_three_with_a_delay_is_the_loop_of_one_with_it(
    robot: Robot, change: Change, rollouts: list[Rollout], method: str, periods: float
) -> None:
    loaded, delay = load(robot, rollouts, method), periods * robot.spec.period
    tasks = [SpeedTask(speed) for speed in (0.8, 0.2, -0.5)]
    episodes = run_together(loaded, Toys(robot, change, GAINS), tasks, delay=delay)
    for n, task in enumerate(tasks):
        worlds = Toys(robot, change, GAINS[n : n + 1])
        assert_same(episodes, n, run_alone(loaded, worlds, task, 5 + n, delay=delay))
    at_once = run_together(loaded, Toys(robot, change, GAINS), tasks)
    assert not np.allclose(episodes.actions, at_once.actions, atol=1e-2)


@pytest.mark.parametrize("method", ["mb", "grbal", "rebal"])
def test_one_is_the_loop_of_one(
    robot: Robot, change: Change, rollouts: list[Rollout], method: str
) -> None:
    loaded, task = load(robot, rollouts, method), SpeedTask(0.8)
    episodes = run_together(loaded, Toys(robot, change, GAINS[:1]), [task])
    assert_same(episodes, 0, run_alone(loaded, Toys(robot, change, GAINS[:1]), task, 5))


def test_the_live_agent_is_an_agent_like_any_other(
    robot: Robot, change: Change, rollouts: list[Rollout]
) -> None:
    loaded, task = load(robot, rollouts, "grbal"), SpeedTask(0.8)
    agent = make_live_agent(loaded, planning=PLANNING, delay=0.04)
    worlds = Toys(robot, change, GAINS[:1])
    episodes = run_episodes(worlds, agent, STEPS, [5], [task])
    alone = run_alone(loaded, Toys(robot, change, GAINS[:1]), task, 5, delay=0.04)
    assert np.array_equal(episodes.actions[:, 0], [step.checked.action for step in alone])
    assert told_of(episodes).accepted.any()


def test_tasks_costed_in_one_call_are_the_same_tasks(
    robot: Robot, change: Change, rollouts: list[Rollout]
) -> None:
    loaded, speeds = load(robot, rollouts, "grbal"), (0.8, 0.2, -0.5)
    one_by_one, at_once = (
        run_together(loaded, Toys(robot, change, GAINS), [kind(v) for v in speeds])
        for kind in (SpeedTask, BatchedSpeedTask)
    )
    np.testing.assert_allclose(at_once.actions, one_by_one.actions, atol=1e-4)


def test_a_state_that_is_no_number_is_its_own_robots_affair(
    robot: Robot, change: Change, rollouts: list[Rollout]
) -> None:
    loaded, tasks = load(robot, rollouts, "mb_de"), [SpeedTask(0.8)] * 3
    whole = run_together(loaded, Toys(robot, change, GAINS), tasks)
    robots = Toys(robot, change, GAINS)
    robots.spoilt = {9: [1]}
    spoilt = run_together(loaded, robots, tasks)
    others = [0, 2]
    # Of the window of nine rows, not of eight, in which the third has a fold more than that.
    np.testing.assert_allclose(spoilt.actions[:, others], whole.actions[:, others], atol=1e-4)
    assert np.isfinite(spoilt.actions).all()
    assert spoilt.levels[9, 1] >= Level.HOLD and spoilt.actions[9, 1].tolist() == [0.0, 0.0]
    told = told_of(spoilt)
    assert told.accepted[8, 1] and not told.accepted[9:15, 1].any()  # its window is new
    assert told.error_before[9:11, 1].tolist() == [0.0, 0.0]
    assert told.error_before[11, 1] > 0


class Spoilt(SpeedTask):
    """Costs no number at all."""

    def cost(self, states: Tensor, actions: Tensor, reference: Tensor) -> Tensor:
        return super().cost(states, actions, reference) * torch.nan


def test_a_robot_without_a_finite_plan_holds_and_the_others_go_on(
    robot: Robot, change: Change, rollouts: list[Rollout]
) -> None:
    loaded = load(robot, rollouts, "grbal")
    tasks = [SpeedTask(0.8), Spoilt(0.8), SpeedTask(0.8)]
    episodes = run_together(loaded, Toys(robot, change, GAINS), tasks)
    assert (episodes.levels[:, 1] == Level.HOLD).all()
    assert not episodes.actions[:, 1].any()
    assert (episodes.levels[:, [0, 2]] == Level.RUN).all()
    assert episodes.actions[:, [0, 2]].any()


def test_shapes_and_seeds(robot: Robot, change: Change, rollouts: list[Rollout]) -> None:
    loaded, tasks = load(robot, rollouts, "mb"), [SpeedTask(0.8)] * 3
    first, second = (
        run_together(loaded, Toys(robot, change, GAINS), tasks, steps=4) for _ in range(2)
    )
    assert first.states.shape == (5, 3, 4) and first.actions.shape == (4, 3, 2)
    assert first.rewards.shape == first.levels.shape == told_of(first).accepted.shape == (4, 3)
    assert np.array_equal(first.actions, second.actions)
    np.testing.assert_allclose(first.times, [0.0, 0.1, 0.2, 0.3, 0.4])
    np.testing.assert_allclose(first.rewards, np.diff(first.states[..., 3], axis=0), atol=1e-12)


class Constant:
    """An agent without a model, which remembers what was sent."""

    def begin(self, context: Context) -> None:
        self.sent: list[Array] = []

    def act(self, states: Array, time: float) -> Action:
        return Action(np.full((len(states), 2), 7.0))

    def acted(self, actions: Array) -> None:
        self.sent.append(actions)


def test_any_agent_is_told_what_safety_let_through(robot: Robot, change: Change) -> None:
    agent = Constant()
    episodes = run_episodes(Toys(robot, change, GAINS), agent, 3, [0, 1, 2])
    assert np.array_equal(agent.sent, episodes.actions)
    assert (episodes.actions == 1.0).all()  # of a range of -1 to 1
    assert (episodes.levels == Level.LIMITED).all()
    assert episodes.diagnostics is None


@pytest.mark.parametrize(("steps", "seeds"), [(0, [1, 2, 3]), (5, [1, 2])])
def test_wrong_numbers_are_refused(
    robot: Robot, change: Change, steps: int, seeds: list[int]
) -> None:
    with pytest.raises(ValueError, match="expected at least 1 and 3"):
        run_episodes(Toys(robot, change, GAINS), Constant(), steps, seeds)


BROKEN = {
    "half_cheetah": Situation(faults=(TimedFault("bthigh_disabled", 0.4),)),
    "ant": Situation(faults=(TimedFault("leg_4_crippled", 0.4),)),
    "arm_7dof": Situation(force=(0.0, 1.0, 0.0), force_begin=0.4),
}


@pytest.mark.parametrize("name", BROKEN)
def test_simulated_robots_do_their_tasks_each_as_if_alone(name: str) -> None:
    situations = [Situation(), BROKEN[name]]
    robots = make_simulated(name, situations, [1, 2])
    loaded = load(robots.robot, collect(robots, RandomAgent(50), 50, [1, 2], ""), "mb_de")
    agent = ModelAgent(loaded, planning=PLANNING)
    episodes = run_episodes(make_simulated(name, situations, [7, 8]), agent, 14, [7, 8])
    assert np.isfinite(episodes.actions).all() and (episodes.levels < Level.HOLD).all()
    second = make_simulated(name, situations[1:], [8])
    assert_same(episodes, 1, run_alone(loaded, second, second.tasks()[0], 8, steps=14))


def test_each_arm_has_a_goal_of_its_own() -> None:
    robots = make_simulated("arm_7dof", [Situation(goal=(0.1, 0.2, 0.3)), Situation()], [3, 4])
    first, second = (task.reference(np.zeros(17)).tolist() for task in robots.tasks())
    assert first == pytest.approx([0.1, 0.2, 0.3])
    assert second == pytest.approx(robots.goals[1].tolist())
