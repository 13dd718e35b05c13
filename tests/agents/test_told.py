"""ToldAgent: what it is told is what it plans with and what its errors are of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from ros_mbmrl.adaptation.bank import Acting, Bank, acting
from ros_mbmrl.adaptation.base import robust_error
from ros_mbmrl.adaptation.guard import support_of
from ros_mbmrl.agents.base import Agent, Context
from ros_mbmrl.agents.model import ModelAgent
from ros_mbmrl.agents.told import ToldAgent
from ros_mbmrl.dynamics.files import LoadedModel
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.networks.groups import CAUSES
from ros_mbmrl.networks.mlp import Parameters
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


def test_inputs_are_those_of_commands_times_their_shares(prior: Prior) -> None:
    model = prior[0]
    normalizer, draws = model.normalizer, torch.Generator().manual_seed(0)
    features = torch.randn(3, 5, len(model.robot.spec.features), generator=draws)
    actions = torch.randn(3, 5, 2, generator=draws)
    shares = torch.rand(3, 5, 2, generator=draws)
    own, raw = acting(normalizer, shares), normalizer.raw_inputs(features, actions)
    expected = normalizer.raw_inputs(features, actions * shares)
    torch.testing.assert_close(own.scale * raw + own.shift, expected)


def test_it_is_what_the_bank_of_causes_does(prior: Prior) -> None:
    model = prior[0]
    bank = Bank.of(model.robot.spec)
    stored = Acting.stored(CAUSES.part(bank.parameters(model.normalizer)))
    parts = stored(bank.values, len(model.normalizer.input_mean))
    own = acting(model.normalizer, bank.effectiveness)
    torch.testing.assert_close((own.scale, own.shift), (parts.scale, parts.shift))


def test_told_that_all_is_well_it_plans_as_mb(loaded: LoadedModel, drive: Any) -> None:
    told = drive(ToldAgent(np.ones((STEPS, 2, 2)), loaded, planning=PLANNING))
    blind = drive(ModelAgent(loaded, planning=PLANNING))
    np.testing.assert_allclose(told[1], blind[1], atol=1e-5)
    np.testing.assert_allclose(told[2].error_after, blind[2].error_before, rtol=1e-5)
    assert told[2].accepted.all() and not blind[2].accepted.any()


def test_its_error_is_of_commands_as_they_acted_row_by_row(
    loaded: LoadedModel, drive: Any, robot: Robot
) -> None:
    shares = np.ones((STEPS, 2, 2))
    shares[3:, 0, 0] = 0.0  # within the last window
    states, sent, told = drive(ToldAgent(shares, loaded, planning=PLANNING))
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
    told, blind = (drive(agent)[1] for agent in (
        ToldAgent(shares, loaded, planning=PLANNING), ModelAgent(loaded, planning=PLANNING)
    ))  # fmt: skip
    np.testing.assert_allclose(told[:, 0], blind[:, 0], atol=1e-5)  # the other robot is as it was
    assert np.abs(told[0, 1] - blind[0, 1]).max() > 1e-3


def test_shares_of_other_robots_are_refused(loaded: LoadedModel, drive: Any) -> None:
    with pytest.raises(ValueError, match="shares: expected those of 2 robots, got 3"):
        drive(ToldAgent(np.ones((STEPS, 3, 2)), loaded, planning=PLANNING))
