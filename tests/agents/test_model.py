"""ModelAgent: window, guard, plan and delay of several robots; in the loop: test_batch.py."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from ros_mbmrl.adaptation.bank import Bank
from ros_mbmrl.adaptation.error_distribution import ErrorDistribution
from ros_mbmrl.agents.base import Agent, Context, Diagnostics
from ros_mbmrl.agents.model import ModelAgent
from ros_mbmrl.dynamics.files import LoadedModel
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.dynamics.normalizer import Normalizer
from ros_mbmrl.networks.groups import CAUSES
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.robots.conditioned import ConditionedRobot
from ros_mbmrl.robots.quantities import Cause
from ros_mbmrl.robots.spec import Array, Robot

Prior = tuple[DynamicsModel, Parameters]
PLANNING = {"num_samples": 16, "horizon": 4}
GAINS = np.array([[1.0, 1.0, 1.0], [-1.0, 0.5, 0.2], [0.3, -1.0, -1.0]])


@pytest.fixture
def make(prior: Prior) -> Callable[..., ModelAgent]:
    """An agent with a small search on an untrained model."""

    def agent(method: str = "residual", delay: float = 0.0) -> ModelAgent:
        loaded = LoadedModel(*prior, {"method": method, "adapt_window": 8})
        return ModelAgent(loaded, planning=PLANNING, delay=delay)

    return agent


@pytest.fixture
def begun(make: Any, robot: Robot, task: Any) -> Callable[..., ModelAgent]:
    """An agent that has begun a run of as many robots as there are seeds."""

    def begin(seeds: Sequence[int], **options: Any) -> ModelAgent:
        agent: ModelAgent = make(**options)
        tasks = [task] * len(seeds)
        agent.begin(Context(robot, seeds, tasks, np.zeros((len(seeds), 0))))
        return agent

    return begin


@pytest.fixture
def drive(change: Callable[..., Array]) -> Callable[..., tuple[Array, Diagnostics]]:
    """Drives toys with these gains; returns commands (T, N, da) and the last diagnostics."""

    def driven(agent: Agent, gains: Array, steps: int) -> tuple[Array, Diagnostics]:
        states, sent = np.zeros((len(gains), 4)), []
        for k in range(steps):
            action = agent.act(states, 0.1 * k)
            agent.acted(action.commands)
            sent.append(action.commands)
            rows = zip(states, action.commands, gains, strict=True)
            states = states + np.array([change(s[3], command, own) for s, command, own in rows])
        assert action.diagnostics is not None
        return np.array(sent), action.diagnostics

    return driven


def test_without_a_window_it_plans_with_the_prior(begun: Any, robot: Robot) -> None:
    action = begun([1, 2, 3]).act(np.zeros((3, 4)), 0.0)
    assert action.commands.shape == (3, 2) and action.commands.dtype == np.float64
    low, high = robot.spec.action_low, robot.spec.action_high
    assert ((low <= action.commands) & (action.commands <= high)).all()
    assert action.diagnostics.error_before.tolist() == [0.0] * 3
    assert not action.diagnostics.accepted.any() and not action.failed.any()


def test_each_robots_model_is_adapted_to_its_own_window(begun: Any, drive: Any) -> None:
    _, told = drive(begun([1, 2, 3]), GAINS, 12)
    assert told.accepted.all()
    assert (told.error_after < told.error_before).all()
    assert len(set(told.error_before.tolist())) == 3
    _, told = drive(begun([1, 2, 3], method="mb"), GAINS, 12)
    assert not told.accepted.any()
    assert np.array_equal(told.error_after, told.error_before)


def test_a_robot_acts_as_if_it_were_alone(begun: Any, drive: Any) -> None:
    together, _ = drive(begun([1, 2, 3]), GAINS, 10)
    for n in range(3):
        alone, _ = drive(begun([1 + n]), GAINS[n : n + 1], 10)
        np.testing.assert_allclose(alone[:, 0], together[:, n], atol=1e-3)


def test_a_run_that_begins_anew_is_the_first_one_again(
    begun: Any, drive: Any, robot: Robot, task: Any
) -> None:
    agent = begun([1, 2])
    first, _ = drive(agent, GAINS[:2], 6)
    agent.begin(Context(robot, [1, 2], [task, task], np.zeros((2, 0))))
    again, _ = drive(agent, GAINS[:2], 6)
    assert np.array_equal(first, again)


def test_a_robot_without_a_finite_state_has_no_plan_and_the_others_do(begun: Any) -> None:
    states = np.zeros((3, 4))
    states[1, 3] = np.nan
    action = begun([1, 2, 3]).act(states, 0.0)
    assert action.failed.tolist() == [False, True, False]
    assert np.isfinite(action.commands).all()


def test_with_a_delay_it_plans_from_where_the_sent_commands_lead(begun: Any) -> None:
    sent = np.array([[1.0, 0.0]])

    def second(delay: float, state: Array) -> Array:
        agent = begun([1], delay=delay)
        agent.act(state, 0.0)
        agent.acted(sent)
        commands: Array = agent.act(state, 0.1).commands
        return commands

    at_once, late = (second(delay, np.zeros((1, 4))) for delay in (0.0, 0.1))
    assert not np.allclose(at_once, late, atol=1e-3)
    assert np.allclose(late, second(0.1, np.zeros((1, 4))))


def test_it_tells_the_causes_that_it_infers_for_each_robot(
    robot: Robot, drive: Any, task: Any
) -> None:
    """The toy drifts to the left by .02 m a period for each unit of what its model calls a push."""
    robot = copy(robot)
    robot.spec = replace(robot.spec, causes=(Cause("push", "N", -2.0, 2.0, 0.0, (-1.0, 1.0)),))
    known, mlp = ConditionedRobot(robot), MLP((4, 4))
    ones, small = torch.ones(4), torch.tensor([0.1, 0.02, 0.3, 1.0])
    normalizer = Normalizer(torch.zeros(4), ones, torch.zeros(4), small)
    weights = torch.zeros(4, 4)  # from speed, push, drive, turn to forward, left, yaw, speed
    weights[0], weights[2] = torch.tensor([[0.5, 0, 0, -0.5], [0.5, 0, 0, 0.5]])
    weights[1, 1] = 1.0
    model = DynamicsModel(known, mlp, normalizer)
    errors = ErrorDistribution(50 * torch.eye(4), torch.tensor([3.0]))
    own = {**Bank.of(known.spec).parameters(normalizer), **CAUSES.named(errors.tensors)}
    parameters = {"w0": weights, "b0": torch.zeros(4), **own}
    loaded = LoadedModel(model, parameters, {"method": "causes", "adapt_window": 8})
    agent = ModelAgent(loaded, planning=PLANNING)
    gains = np.array([[1.0, 0.0, 1.4], [1.0, 0.0, -0.8], [1.0, 0.0, 0.0]])  # nobody turns
    agent.begin(Context(robot, [1, 2, 3], [task] * 3, np.zeros((3, 0))))
    _, first = drive(agent, gains, 1)
    assert first.causes.tolist() == [[0.0]] * 3  # nothing has been seen
    agent.begin(Context(robot, [1, 2, 3], [task] * 3, np.zeros((3, 0))))
    _, told = drive(agent, gains, 12)
    np.testing.assert_allclose(told.causes, gains[:, 2:], atol=0.03)
    np.testing.assert_allclose(told.effectiveness, 1.0)
