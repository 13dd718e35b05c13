"""LiveAgent: one robot's window, guard, plan and delay; an agent like any other, with N = 1."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from ros_mbmrl.adaptation.diagnosis import Beliefs
from ros_mbmrl.adaptation.guard import Guard, GuardConfig
from ros_mbmrl.adaptation.residual import MeanResidual
from ros_mbmrl.agents.base import Agent, Context
from ros_mbmrl.agents.live import Acting, LiveAgent, make_live_agent
from ros_mbmrl.dynamics.files import LoadedModel
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.networks.mlp import Parameters
from ros_mbmrl.networks.updates import Update
from ros_mbmrl.planning import make_planner
from ros_mbmrl.planning.base import NoTime
from ros_mbmrl.robots.spec import Array, Robot, RobotSpec

Prior = tuple[DynamicsModel, Parameters]
REST = np.zeros((1, 4))


@pytest.fixture
def make(robot: Robot, prior: Prior) -> Callable[..., LiveAgent]:
    """An agent with a small search and a clock that ticks once a look."""

    def agent(delay: float = 0.0, **planning: Any) -> LiveAgent:
        ticks = itertools.count()
        return LiveAgent(
            prior[0],
            Guard(MeanResidual(), prior[1], 8, GuardConfig()),
            make_planner("mppi", robot.spec, **{"num_samples": 16, **planning}),
            torch.Generator().manual_seed(0),
            delay,
            clock=lambda: float(next(ticks)),
        )

    return agent


def context(robot: Robot, task: Any, seed: int = 0) -> Context:
    return Context(robot, [seed], [task], np.zeros((1, 0)))


def drive(agent: LiveAgent, change: Callable[..., Array], steps: int, start: float = 0.0) -> Any:
    """Commands (steps, da) of a toy that obeys."""
    state, sent = np.zeros(4), []
    for k in range(steps):
        action = agent.act(state[None], start + 0.1 * k)
        agent.acted(action.commands)
        sent.append(action.commands[0])
        state = state + change(state[3], action.commands[0], np.ones(3))
    return np.array(sent)


def test_durations_are_by_the_clock_it_is_given(make: Any, task: Any) -> None:
    agent = make()
    agent.follow(task)
    answer = agent.act(REST, 0.0)
    assert (answer.adapt_seconds, answer.plan_seconds) == (1.0, 1.0)


def test_it_is_an_agent_of_one_robot(make: Any, robot: Robot, task: Any) -> None:
    agent: Agent = make()
    agent.begin(context(robot, task))
    action = agent.act(REST, 0.0)
    assert action.commands.shape == (1, 2) and action.commands.dtype == np.float64
    assert action.failed is not None and action.failed.tolist() == [False]
    assert action.diagnostics is not None and action.diagnostics.accepted.tolist() == [False]
    with pytest.raises(ValueError, match="too many values"):
        agent.begin(Context(robot, [0, 1], [task, task], np.zeros((2, 0))))


def test_a_run_that_begins_anew_is_the_first_one_again(
    make: Any, robot: Robot, task: Any, change: Callable[..., Array]
) -> None:
    agent = make()
    agent.begin(context(robot, task, seed=3))
    first = drive(agent, change, 9)
    agent.begin(context(robot, task, seed=3))
    assert np.array_equal(drive(agent, change, 9, start=7.0), first)
    agent.begin(context(robot, task, seed=4))
    assert not np.array_equal(drive(agent, change, 9), first)


def test_without_a_task_it_adapts_and_has_no_plan(make: Any, change: Callable[..., Array]) -> None:
    agent = make()
    assert agent.task is None
    drive(agent, change, 5)
    answer = agent.act(REST, 0.5)
    assert answer.adapted.report.transitions == 5
    assert answer.plan is None and answer.proposed is None
    assert answer.commands.tolist() == [[0.0, 0.0]]


def test_a_new_task_starts_without_a_plan_and_keeps_the_window(
    make: Any, task: Any, change: Callable[..., Array]
) -> None:
    agent = make()
    agent.follow(task)
    drive(agent, change, 5)
    agent.follow(task)
    assert agent.task is task
    assert len(agent._window.transitions()) == 4
    assert agent._controller._warm_start.actions is None


def test_no_finite_plan_is_an_answer_at_rest(make: Any, task: Any) -> None:
    agent = make()
    agent.follow(task)
    task.penalty = float("nan")
    answer = agent.act(REST, 0.0)
    assert answer.plan is None and answer.proposed is None
    assert answer.failed.tolist() == [True] and answer.commands.tolist() == [[0.0, 0.0]]
    task.penalty = 0.0
    agent.acted(answer.commands)
    assert agent.act(REST, 0.1).proposed is not None


def test_a_state_that_is_observed_need_not_be_answered(make: Any, task: Any) -> None:
    agent = make()
    agent.follow(task)
    agent.observe(REST, 0.0)
    agent.observe(REST + 0.1, 0.1)  # nobody knows what acted before it
    answer = agent.answer()
    assert answer.adapted.report.transitions == 0
    agent.acted(answer.commands)
    agent.observe(REST + 0.2, 0.2)
    assert agent.answer().adapted.report.transitions == 1


def test_the_window_is_told_what_acted(make: Any) -> None:
    agent = make(delay=0.15)
    for t, speed in enumerate((0.2, 0.4, 0.8)):
        agent.act(REST, 0.1 * t)
        agent.acted(np.array([[speed, 0.0]]))
    agent.observe(REST, 0.3)
    acted = agent._window.transitions().actions[:, 0]
    torch.testing.assert_close(acted, torch.tensor([0.2, 0.2, 0.3]))


def test_a_delay_that_is_measured_counts_from_then_on(make: Any) -> None:
    agent = make()
    for t, (speed, delay) in enumerate(((0.2, None), (0.4, 0.05), (0.8, None))):
        agent.observe(REST, 0.1 * t)
        agent.answer(delay=delay)
        agent.acted(np.array([[speed, 0.0]]))
    agent.observe(REST, 0.3)
    acted = agent._window.transitions().actions[:, 0]
    torch.testing.assert_close(acted, torch.tensor([0.2, 0.3, 0.6]))


def test_what_had_too_little_time_is_no_plan(make: Any, task: Any) -> None:
    class Late:
        def plan(self, *problem: Any) -> Any:
            raise NoTime(f"{problem[-1]():g} s are left")

    agent = make()
    agent.planner = Late()
    agent.follow(task)
    agent.observe(REST, 0.0)
    looks: list[float] = []
    answer = agent.answer(deadline=lambda: looks.append(-1.0) or -1.0)  # type: ignore[func-returns-value]
    assert looks == [-1.0] and answer.plan is None


def test_it_is_made_from_a_loaded_model(robot: Robot, prior: Prior, task: Any) -> None:
    loaded = LoadedModel(*prior, {"method": "mb_de", "adapt_window": 5})
    made = (make_live_agent(loaded, task, planning={"num_samples": 16}, seed=2) for _ in range(2))
    first, second = (agent.act(REST, 0.0) for agent in made)
    assert np.array_equal(first.commands, second.commands)
    assert make_live_agent(loaded).task is None
    assert make_live_agent(loaded, method="mb").guard.rule.adapts is False


class DeadSoon(MeanResidual):
    """A rule that is sure of a dead drive once its window has three rows."""

    def beliefs(self, spec: RobotSpec, update: Update) -> Sequence[Beliefs]:
        self.seen = getattr(self, "seen", 0) + 1
        return [{"all well": 0.0, "drive dead": 1.0} if self.seen >= 3 else {"all well": 1.0}]


def test_the_report_tells_the_cause_and_since_when(
    robot: Robot, prior: Prior, task: Any, change: Callable[..., Array]
) -> None:
    guard = Guard(DeadSoon(), prior[1], 8, GuardConfig())
    planner = make_planner("mppi", robot.spec, num_samples=4, horizon=2)
    agent = LiveAgent(prior[0], guard, planner, torch.Generator())
    agent.begin(context(robot, task))
    told, state = [], np.zeros(4)
    for k in range(7):
        answer = agent.act(state[None], 0.1 * k)
        agent.acted(answer.commands)
        report = answer.adapted.report
        told.append((report.cause, report.probability, report.since))
        state = state + change(state[3], answer.commands[0], np.ones(3))
    # The first answer has no window; the cause is certain from .3 s on, and told .2 s later.
    assert told[0][0] == "" and told[1] == ("all well", 1.0, 0.1)
    assert [each[0] for each in told[1:]] == ["all well"] * 4 + ["drive dead"] * 2
    assert told[5][:2] == ("drive dead", 1.0) and told[5][2] == pytest.approx(0.3)


def test_another_planner_goes_on_from_the_last_plan(
    make: Any, robot: Robot, task: Any, change: Callable[..., Array]
) -> None:
    agent = make()
    agent.follow(task)
    drive(agent, change, 5)
    before = agent._controller._warm_start
    tuned = agent.planner.retuned(replace(agent.planner.config, num_samples=24, sigma=0.4))
    agent.plan_with(tuned)
    assert agent.planner is tuned and agent._controller._warm_start is before
    assert before.actions is not None
    assert agent.act(REST, 0.5).plan.samples == 24
    assert len(agent._window.transitions()) == 5


def test_a_planner_is_exchanged_before_there_is_a_task(make: Any, task: Any) -> None:
    agent = make()
    agent.plan_with(agent.planner.retuned(replace(agent.planner.config, num_samples=24)))
    agent.follow(task)
    assert agent.act(REST, 0.0).plan.samples == 24


def another(agent: LiveAgent, size: int = 8) -> Acting:
    """What the agent acts with, its model's weights halved."""
    halved = {name: 0.5 * value for name, value in agent.guard.parameters.items()}
    guard = Guard(MeanResidual(), halved, size, GuardConfig())
    return replace(agent.acting, guard=guard)


def test_another_model_goes_on_from_the_last_plan_and_keeps_the_window(
    make: Any, task: Any, change: Callable[..., Array]
) -> None:
    agent = make()
    agent.follow(task)
    drive(agent, change, 6)
    kept = agent.adapt().report.transitions
    acting = another(agent)
    agent.exchange(acting)
    assert agent.acting == acting
    assert agent.adapt().report.transitions == kept > 0
    answer = agent.act(np.zeros((1, 4)), 0.6)
    assert answer.plan is not None
    weights = answer.adapted.parameters["w0"]
    torch.testing.assert_close(weights, acting.guard.parameters["w0"])


def test_a_model_with_another_window_fills_it_anew(
    make: Any, task: Any, change: Callable[..., Array]
) -> None:
    agent = make()
    agent.follow(task)
    drive(agent, change, 6)
    agent.exchange(another(agent, size=3))
    assert agent.adapt().report.transitions == 0
    drive(agent, change, 6, start=0.6)
    assert agent.adapt().report.transitions == 3


def test_another_kind_of_planner_begins_without_the_plan_before(
    make: Any, robot: Robot, task: Any, change: Callable[..., Array]
) -> None:
    agent = make()
    agent.follow(task)
    drive(agent, change, 3)
    longer = make_planner("mppi", robot.spec, num_samples=16, horizon=9)
    agent.exchange(replace(agent.acting, planner=longer))
    answer = agent.act(np.zeros((1, 4)), 0.3)
    assert answer.plan is not None
    assert len(answer.plan.actions) == 9


def test_a_model_is_exchanged_before_there_is_a_task(make: Any, task: Any) -> None:
    agent = make()
    agent.exchange(another(agent))
    agent.follow(task)
    assert agent.act(np.zeros((1, 4)), 0.0).plan is not None
