"""Basis functions against the formula, and limits of the squashed sum."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Generator

from ros_mbmrl.networks.mlp import MLP
from ros_mbmrl.policies.radial import RadialPolicy

POLICY = RadialPolicy.of(inputs=3, units=4, actions=2)
PARAMETERS = POLICY.init(Generator().manual_seed(0))


def test_an_action_is_the_squashed_sum_of_gaussians() -> None:
    seen = torch.randn(3, generator=Generator().manual_seed(1))
    width = PARAMETERS["log_width"].exp()
    for action in range(2):
        total = 0.0
        for k in range(4):
            away = ((seen - PARAMETERS["w0"][:, k]) / width).square().sum()
            total += float(PARAMETERS["w1"][k, action] * (-0.5 * away).exp())
        expected = (9 * math.sin(total) + math.sin(3 * total)) / 8
        found = POLICY.means(PARAMETERS, seen[None])[0, action]
        assert float(found) == pytest.approx(expected, abs=1e-6)


def test_actions_stay_in_range_and_far_away_they_are_zero() -> None:
    large = {**PARAMETERS, "w1": 100 * PARAMETERS["w1"]}
    near = torch.randn(200, 3, generator=Generator().manual_seed(2))
    assert POLICY.means(large, near).abs().max() <= 1 + 1e-6
    assert POLICY.means(large, torch.full((1, 3), 1e3)).abs().max() < 1e-3


def test_each_task_has_parameters_of_its_own() -> None:
    ones = [POLICY.init(Generator().manual_seed(k)) for k in range(3)]
    several = {name: torch.stack([each[name] for each in ones]) for name in ones[0]}
    seen = torch.randn(3, 5, 3, generator=Generator().manual_seed(3))
    apart = [POLICY.means(*each) for each in zip(ones, seen, strict=True)]
    torch.testing.assert_close(POLICY.means(several, seen), torch.stack(apart))


def test_it_has_one_layer_of_basis_functions() -> None:
    with pytest.raises(ValueError, match="basis functions"):
        RadialPolicy(MLP((3, 4, 4, 1)), torch.zeros(3), torch.ones(3))
