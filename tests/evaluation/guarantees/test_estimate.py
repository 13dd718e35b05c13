"""Inputs of the bounds of a run that is known: an exact model, and data of its policy."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.dynamics.files import LoadedModel
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.errors import UserError
from ros_mbmrl.evaluation.guarantees.estimate import estimate, imagined_return, scale_of
from ros_mbmrl.evaluation.guarantees.trained_run import TrainedRun
from ros_mbmrl.learning.policies.simulated_tasks import simulated_tasks
from ros_mbmrl.learning.rounds import Data
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.policies.files import LoadedPolicy
from ros_mbmrl.policies.gaussian import GaussianPolicy
from ros_mbmrl.policies.imagined import reward_in


@pytest.fixture
def known(exact: tuple[DynamicsModel, Parameters], rollouts: list[Rollout]) -> TrainedRun:
    policy = GaussianPolicy(MLP((2, 2)), torch.zeros(2), torch.ones(2))
    still = {"w0": torch.zeros(2, 2), "b0": torch.zeros(2), "log_std": torch.full((2,), -30.0)}
    tasks = simulated_tasks("point_centre")
    data = Data(tuple(rollouts[:3]), tuple(rollouts[3:]))
    model = LoadedModel(*exact, {})
    return TrainedRun(tasks, LoadedPolicy(policy, still, {}), model, data, reward_in(tasks), 0.9)


def test_a_policy_that_rests_earns_what_its_starts_do(known: TrainedRun) -> None:
    found = imagined_return(known, 0.9, torch.Generator().manual_seed(0))
    paid = -known.starts().square().sum(1).mean() * (1 - 0.9**30) / 0.1
    assert found == pytest.approx(float(paid), rel=1e-4)


def test_all_inputs(known: TrainedRun) -> None:
    found = estimate(known, horizon=2, noise=0.1, discount=None, seed=0)
    largest = max(float(each.abs().max()) for each in known.rewards())
    assert found.discount == 0.9 and found.reward == pytest.approx(largest)
    assert found.model.variation < 1e-4 and found.policy.variation > 0.9
    # s' = s + .1 a; a command moves 1 m/s, and states are in deviations of the data
    assert found.smooth.model == pytest.approx(1.0) and found.smooth.policy == pytest.approx(1.0)
    assert found == estimate(known, horizon=2, noise=0.1, discount=None, seed=0)


def test_what_no_bound_holds_for_is_refused(known: TrainedRun) -> None:
    with pytest.raises(UserError, match="up to the data's longest episode, 30, got 31"):
        estimate(known, 31, 0.1, None, 0)
    with pytest.raises(UserError, match="0 <= discount < 1, got 1"):
        estimate(known, 1, 0.1, 1.0, 0)

    def nothing(states: Tensor, commands: Tensor, after: Tensor) -> Tensor:
        return torch.full((len(states),), torch.nan)

    with pytest.raises(UserError, match="roll-outs under the policy are not finite"):
        imagined_return(replace(known, reward=nothing), 0.9, torch.Generator())


def test_a_state_that_stays_is_not_scaled() -> None:
    found = scale_of(torch.tensor([[1.0, 5.0], [3.0, 5.0]]))
    assert found.tolist() == [1.0, 1.0]
