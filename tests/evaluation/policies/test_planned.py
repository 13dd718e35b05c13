"""A policy that plans at test time: the tests are those without a plan."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Generator

from ros_mbmrl.agents.policy_cem import SHORT
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.dynamics.normalizer import Normalizer
from ros_mbmrl.evaluation.policies.judge import judge
from ros_mbmrl.evaluation.policies.planned import planned_returns, plans
from ros_mbmrl.evaluation.policies.training import tasks_of
from ros_mbmrl.networks.mlp import MLP
from ros_mbmrl.policies.adapt import InnerConfig
from ros_mbmrl.policies.critics import TwinCritics
from ros_mbmrl.policies.squashed import SquashedPolicy
from ros_mbmrl.policies.trained import TrainedPolicy


def trained(log_std: float) -> TrainedPolicy:
    """A policy that stays where it is, with the true model of the points and critics of 0."""
    tasks = tasks_of("point_centre")
    policy = SquashedPolicy(MLP((2, 4)), torch.zeros(2), torch.ones(2))
    parameters = {"w0": torch.zeros(2, 4), "b0": torch.tensor([0.0, 0.0, log_std, log_std])}
    unit = Normalizer(torch.zeros(4), torch.ones(4), torch.zeros(2), torch.ones(2))
    model = DynamicsModel(tasks.robot, MLP((4, 2)), unit)
    step = torch.cat([torch.zeros(2, 2), 0.1 * torch.eye(2)])
    critics = TwinCritics(MLP((4, 1)))
    nothing = {n: torch.zeros_like(v) for n, v in critics.init(Generator()).items()}
    known = (model, {"w0": step, "b0": torch.zeros(2)})
    return TrainedPolicy(policy, parameters, (), model=known, critics=(critics, nothing))


def test_a_plan_goes_where_the_policy_does_not() -> None:
    tasks, own = tasks_of("point_centre"), (8, 4, 3)
    plain = judge(tasks, trained(0.0), InnerConfig(0, horizon=8), 4, 3).returns
    sure = planned_returns(tasks, trained(-12.0), *own, 2, replace(SHORT, min_sigma=0.0))
    assert sure == pytest.approx(plain[:2], abs=1e-3)  # of the same tests
    found = planned_returns(tasks, trained(0.0), *own, 2)
    assert all(one > other for one, other in zip(found, plain, strict=False))


def test_what_planning_needs() -> None:
    assert plans(trained(0.0))
    assert not plans(replace(trained(0.0), critics=None))
    assert not plans(replace(trained(0.0), model=None))
