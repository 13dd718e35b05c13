"""CEM from a policy's own plan, on a point that is known by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Generator, Tensor

from ros_mbmrl.agents.policy_cem import SHORT, PolicyCEM
from ros_mbmrl.networks.mlp import MLP
from ros_mbmrl.planning.base import WarmStart
from ros_mbmrl.planning.sampling import Limits
from ros_mbmrl.policies.critics import TwinCritics
from ros_mbmrl.policies.squashed import SquashedPolicy
from ros_mbmrl.simulation.points import POINTS

ROBOT = POINTS["point_centre"].robot("point_centre")  # 1 m/s at most, .1 s
START = torch.tensor([0.35, -0.1])
STILL = torch.zeros(2)


def moved(states: Tensor, actions: Tensor) -> Tensor:
    """Roll points out (K, H+1, 2)."""
    return torch.cat([states[:, None], states[:, None] + 0.1 * actions.cumsum(dim=1)], dim=1)


def planner(log_std: float, critics: bool = False, horizon: int = 3) -> PolicyCEM:
    """A policy that goes left at half speed."""
    policy = SquashedPolicy(MLP((2, 4)), torch.zeros(2), torch.ones(2))
    bias = torch.tensor([-0.5493, 0.0, log_std, log_std])
    parameters = {"w0": torch.zeros(2, 4), "b0": bias}
    twin = TwinCritics(MLP((4, 1)))
    # Q_1 = 10 x, Q_2 = 10 x + 1: right is better, whatever the action.
    weights = torch.zeros(2, 4, 1)
    weights[:, 0] = 10.0
    value = {"w0": weights, "b0": torch.tensor([[0.0], [1.0]])}
    config = replace(SHORT, horizon=horizon, num_samples=300, min_sigma=0.0)
    own = (twin, value) if critics else (None, {})
    return PolicyCEM(ROBOT, policy, parameters, *own, config)


def test_it_begins_with_what_the_policy_does() -> None:
    found = planner(-1.0).ahead(moved, START, Limits.of(ROBOT.spec), STILL)
    assert found.mean is not None
    assert torch.allclose(found.mean, torch.tensor([-0.5, 0.0]).expand(3, -1), atol=1e-3)
    slope = torch.tensor([1 - 0.25, 1.0]) * torch.tensor(-1.0).exp()
    assert torch.allclose(found.std, slope.expand(3, -1), atol=1e-3)


def test_a_certain_policy_is_followed_and_an_uncertain_one_refined() -> None:
    def cost(states: Tensor, actions: Tensor, reference: Tensor) -> Tensor:
        return states[:, 1:].square().sum((-2, -1))

    rest = (cost, START, torch.zeros(0), WarmStart(None, STILL))
    sure = planner(-12.0).plan(moved, *rest, Generator().manual_seed(0))
    assert sure.action.tolist() == pytest.approx([-0.5, 0.0], abs=2e-3)
    found = planner(0.0).plan(moved, *rest, Generator().manual_seed(0))
    assert found.action[0] < -0.8 and found.action[1] > 0.3
    assert found.cost_min < sure.cost_min


def test_the_end_is_worth_what_the_critics_say() -> None:
    own = planner(0.0, critics=True)
    assert own.value(torch.tensor([[0.5, 0.0], [1.0, 0.0]])).tolist() == [5.0, 10.0]
    free = lambda states, actions, reference: torch.zeros(len(states))  # noqa: E731
    found = own.plan(
        moved, free, START, torch.zeros(0), WarmStart(None, STILL), Generator().manual_seed(0)
    )
    assert found.action[0] > 0.0  # against the policy
