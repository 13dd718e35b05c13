"""Variances that are too small or too large before, and hold their share of held-out rows after."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Generator, Tensor

from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.dynamics.normalizer import Normalizer
from ros_mbmrl.learning.models.variance import FEWEST, calibrated_variance
from ros_mbmrl.networks.ensemble import Ensemble
from ros_mbmrl.networks.mlp import Parameters
from ros_mbmrl.robots.spec import Robot

MLP = Ensemble((3, 4, 4), "silu", members=2, head="gaussian")
APART = 0.3  # what the members say, either side of the truth


def too_sure(robot: Robot) -> tuple[DynamicsModel, Parameters]:
    """Members that say +-APART of everything, with a variance of 1 (not 4, .25, ... as it is)."""
    parameters = {name: torch.zeros_like(v) for name, v in MLP.init(Generator()).items()}
    for k in range(2):
        parameters[f"member.{k}.b1"] += APART * (-1) ** k
        parameters[f"member.{k}.variance.low"] -= 20.0
        parameters[f"member.{k}.variance.high"] += 20.0
    normalizer = Normalizer(torch.zeros(3), torch.ones(3), torch.zeros(4), torch.ones(4))
    return DynamicsModel(robot, MLP, normalizer), parameters


def rows(count: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    g = Generator().manual_seed(seed)
    deviations = torch.tensor([2.0, 1.0, 0.5, 0.35])
    return torch.zeros(count, 3), deviations * torch.randn(count, 4, generator=g)


def test_each_output_gets_the_variance_that_its_errors_have(robot: Robot) -> None:
    model, parameters = too_sure(robot)
    own, scale = calibrated_variance(model, parameters, *rows(20_000))
    # The members' disagreement is a part of the variance that is not scaled.
    expected = torch.tensor([4.0, 1.0, 0.25, 0.1225]) - APART**2
    torch.testing.assert_close(scale, expected, rtol=0.06, atol=0.01)
    x, y = rows(20_000, seed=1)
    means, variances = MLP.moments(own, MLP.no_update, x[None])
    assert variances is not None
    total = variances.mean(dim=0) + means.var(dim=0, correction=0)
    inside = y.abs() < 1.645 * total[0].sqrt()
    np.testing.assert_allclose(inside.float().mean(dim=0), 0.9, atol=0.01)


def test_one_wild_row_in_a_hundred_changes_little(robot: Robot) -> None:
    model, parameters = too_sure(robot)
    x, y = rows(20_000)
    plain = calibrated_variance(model, parameters, x, y)[1]
    y[::100] *= 1000.0
    wild = calibrated_variance(model, parameters, x, y)[1]
    torch.testing.assert_close(wild / plain, torch.ones(4), rtol=0.0, atol=0.25)


def test_too_few_rows_change_nothing(robot: Robot) -> None:
    model, parameters = too_sure(robot)
    own, scale = calibrated_variance(model, parameters, *rows(FEWEST - 1))
    assert own is parameters
    assert scale.tolist() == pytest.approx([1.0] * 4)
