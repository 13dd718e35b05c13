"""ToldAgent: what it is told is what it plans with and what its errors are of."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from ros_mbmrl.adaptation.base import robust_error
from ros_mbmrl.adaptation.guard import support_of
from ros_mbmrl.agents.base import Agent, Context
from ros_mbmrl.agents.model import ModelAgent
from ros_mbmrl.agents.told import ToldAgent, Truth
from ros_mbmrl.dynamics.files import LoadedModel
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.robots.conditioned import ConditionedRobot
from ros_mbmrl.robots.quantities import Cause
from ros_mbmrl.robots.spec import Array, Robot

Prior = tuple[DynamicsModel, Parameters]
PLANNING = {"num_samples": 16, "horizon": 4}
STEPS = 6


@pytest.fixture
def loaded(prior: Prior) -> LoadedModel:
    return LoadedModel(*prior, {"method": "mb", "adapt_window": 4})


@pytest.fixture
def drive(robot: Robot, task: Any, change: Callable[..., Array]) -> Callable[..., Any]:
    """Drives two toys; returns states (T + 1, N, 4), commands (T, N, 2), the last diagnostics."""

    def driven(agent: Agent) -> tuple[Array, Array, Any]:
        agent.begin(Context(robot, [1, 2], [task] * 2, np.zeros((2, 0))))
        states, sent = [np.zeros((2, 4))], []
        for k in range(STEPS):
            action = agent.act(states[-1], 0.1 * k)
            agent.acted(action.commands)
            sent.append(action.commands)
            rows = zip(states[-1], action.commands, strict=True)
            moved = [change(s[3], command, np.ones(3)) for s, command in rows]
            states.append(states[-1] + np.array(moved))
        return np.array(states), np.array(sent), action.diagnostics

    return driven


def recorded(truth: Array) -> Truth:
    """The causes (T, N, c) of all control steps."""
    return lambda states, first: truth[first : first + len(states)]


def test_told_that_all_is_well_it_plans_as_mb(loaded: LoadedModel, drive: Any) -> None:
    told = drive(ToldAgent(recorded(np.ones((STEPS, 2, 2))), loaded, planning=PLANNING))
    blind = drive(ModelAgent(loaded, planning=PLANNING))
    np.testing.assert_allclose(told[1], blind[1], atol=1e-5)
    np.testing.assert_allclose(told[2].error_after, blind[2].error_before, rtol=1e-5)
    assert told[2].accepted.all() and not blind[2].accepted.any()


def test_its_error_is_of_commands_as_they_acted_row_by_row(
    loaded: LoadedModel, drive: Any, robot: Robot
) -> None:
    shares = np.ones((STEPS, 2, 2))
    shares[3:, 0, 0] = 0.0  # within the last window
    states, sent, told = drive(ToldAgent(recorded(shares), loaded, planning=PLANNING))
    now, then = (torch.from_numpy(s).float() for s in (states[1:6], states[2:7]))
    last = slice(STEPS - 5, STEPS - 1)
    acted = torch.from_numpy(sent[last] * shares[last]).float().transpose(0, 1)
    features = robot.features(now[:4]).transpose(0, 1)
    changes = robot.difference(now[:4], then[:4]).transpose(0, 1)
    support = support_of(loaded.model, features, acted, changes)
    outputs = loaded.model.mlp.forward(loaded.parameters, support.x)
    error = robust_error(outputs - support.y, support.scale).mean(dim=1)
    np.testing.assert_allclose(told.error_after, error.numpy(), rtol=1e-4)
    assert told.error_after[0] != pytest.approx(told.error_before[0], rel=1e-3)


def test_a_command_that_does_not_act_is_not_worth_a_thing(loaded: LoadedModel, drive: Any) -> None:
    shares = np.ones((STEPS, 2, 2))
    shares[:, 1] = 0.0
    agents = (ToldAgent(recorded(shares), loaded, planning=PLANNING),)
    agents += (ModelAgent(loaded, planning=PLANNING),)
    told, blind = (drive(agent)[1] for agent in agents)
    np.testing.assert_allclose(told[:, 0], blind[:, 0], atol=1e-5)  # the other robot is as it was
    assert np.abs(told[0, 1] - blind[0, 1]).max() > 1e-3


def test_the_truth_of_other_robots_is_refused(loaded: LoadedModel, drive: Any) -> None:
    with pytest.raises(ValueError, match="truth: expected that of 2 robots, got 3"):
        drive(ToldAgent(recorded(np.ones((STEPS, 3, 2))), loaded, planning=PLANNING))


def test_it_is_told_the_causes_where_the_robots_are(loaded: LoadedModel, drive: Any) -> None:
    seen = []

    def truth(states: Array, first: int) -> Array:
        seen.append((first, states[0, :, 3]))
        return np.ones((1, 2, 5))  # three causes that the model has no inputs for, two commands

    states, sent, _ = drive(ToldAgent(truth, loaded, planning=PLANNING))
    assert [first for first, _ in seen] == list(range(STEPS))
    np.testing.assert_array_equal([speeds for _, speeds in seen], states[:-1, :, 3])
    blind = drive(ModelAgent(loaded, planning=PLANNING))[1]
    np.testing.assert_allclose(sent, blind, atol=1e-5)


def test_a_cause_with_an_input_is_told_to_it(prior: Prior, drive: Any, robot: Robot) -> None:
    """The first change is as large as the push says: 0 of its deviation at a push of 1."""
    robot = copy(robot)
    robot.spec = replace(robot.spec, causes=(Cause("push", "N", -2.0, 2.0, 0.0, (1.0,)),))
    conditioned = ConditionedRobot(robot)
    old = prior[0].normalizer
    mean, std = (torch.cat([s[:1], torch.ones(1), s[1:]]) for s in (old.input_mean, old.input_std))
    normalizer = replace(old, input_mean=mean, input_std=std)
    weights = {"w0": torch.zeros(4, 4), "b0": torch.zeros(4)}
    weights["w0"][1, 0] = 1.0  # of the first change: push - 1
    model = replace(prior[0], robot=conditioned, mlp=MLP((4, 4)), normalizer=normalizer)
    pushed = LoadedModel(model, weights, {"method": "mb", "adapt_window": 4})
    truth = np.ones((STEPS, 2, 3))
    truth[:, 1, 0] = 3.0
    states, sent, known = drive(ToldAgent(recorded(truth), pushed, planning=PLANNING))
    now, then = (torch.from_numpy(s).float() for s in (states[1:5], states[2:6]))
    actions = torch.from_numpy(sent[1:5]).float().transpose(0, 1)
    features = conditioned.features(now).transpose(0, 1)
    changes = robot.difference(now, then).transpose(0, 1)
    support = support_of(model, features, actions, changes)
    expected = torch.zeros_like(support.y)
    expected[1, :, 0] = 3.0 - 1.0
    error = robust_error(expected - support.y, support.scale).mean(dim=1)
    np.testing.assert_allclose(known.error_after, error.numpy(), rtol=1e-4)
