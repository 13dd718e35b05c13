"""Plasticity beside disagreement: by hand, and of a point that learned to go to the centre."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.dynamics.normalizer import Normalizer
from ros_mbmrl.errors import UserError
from ros_mbmrl.learning.policies.mb_mpo import train_mb_mpo
from ros_mbmrl.learning.policies.mb_mpo_config import MBMPOConfig
from ros_mbmrl.learning.policies.plasticity import compared, grid, plasticity_of
from ros_mbmrl.learning.policies.simulated_tasks import simulated_tasks
from ros_mbmrl.networks.ensemble import Ensemble, unstacked
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.policies.gaussian import GaussianPolicy
from ros_mbmrl.simulation.points import POINTS


def test_divergence_disagreement_and_distance_by_hand() -> None:
    policy = GaussianPolicy(MLP((2, 2)), torch.zeros(2), torch.ones(2))
    theta: Parameters = {
        "log_std": torch.zeros(2),
        "w0": torch.zeros(2, 2),
        "b0": torch.zeros(2),
    }
    adapted = {name: torch.stack([value, value]) for name, value in theta.items()}
    adapted["w0"][1, 0, 0] = 3.0  # the second model's policy: mean action (3 x, 0)
    robot, one = POINTS["point_centre"].robot("point_centre"), torch.ones
    model = DynamicsModel(
        robot,
        Ensemble((4, 2), members=2),
        Normalizer(torch.zeros(4), one(4), torch.zeros(2), one(2)),
    )
    weights = [torch.zeros(4, 2), torch.zeros(4, 2)]
    weights[1][1, 1] = 4.0  # the second model: dy = 4 y, the first: 0
    fitted = unstacked([{"w0": each, "b0": torch.zeros(2)} for each in weights])
    states = torch.tensor([[2.0, 0.0], [0.0, 1.0], [1.0, -1.0]])
    found = compared(policy, theta, adapted, model, fitted, states)
    assert found.divergence.tolist() == pytest.approx([6**2 / 4, 0.0, 3**2 / 4])
    assert found.disagreement.tolist() == pytest.approx([0.0, 2.0, 2.0])
    assert found.distance.tolist() == [0.0, 3.0]
    expected = np.corrcoef([9.0, 0.0, 2.25], [0.0, 2.0, 2.0])[0, 1]
    assert found.correlation == pytest.approx(expected)


def test_a_grid_covers_the_square() -> None:
    assert grid(2.0, 3)[:4].tolist() == [[-2, -2], [-2, 0], [-2, 2], [0, -2]]
    assert len(grid(2.0, 3)) == 9


def test_a_point_goes_to_the_centre_and_is_plastic() -> None:
    tasks, base = simulated_tasks("point_centre"), MBMPOConfig()
    model = replace(
        base.model,
        hidden=(32, 32),
        supervised_steps=200,
        learning_rate=3e-3,
        validate_every=50,
        rows=64,
        batch=32,
    )
    config = replace(
        base, horizon=30, budget=600, meta_steps=12, model=model, rows=20, hidden=(16,)
    )
    trained = train_mb_mpo(tasks, config)
    still = -30 * 2 * 4 / 3  # a point at rest anywhere in the square, in expectation
    assert trained.curve[-1].mean_return > still / 3
    found = plasticity_of(tasks, config, trained, grid(2.0, 5))
    assert found.divergence.shape == found.disagreement.shape == (25,)
    assert (found.divergence > 0).all() and (found.distance > 0).all()
    assert math.isfinite(found.correlation)
    nothing = plasticity_of(tasks, replace(config, rate=0.0), trained, grid(2.0, 5))
    assert not nothing.divergence.any() and not nothing.distance.any()
    with pytest.raises(UserError, match="expected a policy with the models"):
        plasticity_of(tasks, config, replace(trained, model=None), grid(2.0, 5))
