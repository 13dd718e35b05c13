"""The trust-region step on a quadratic whose solution is known."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from ros_mbmrl.learning.policies.trust_region import (
    TrustRegion,
    conjugate_gradient,
    trust_region_step,
)

FISHER = torch.tensor([[2.0, 0.5], [0.5, 1.0]])
SLOPE = torch.tensor([1.0, -3.0])


def linear(theta: Tensor) -> tuple[Tensor, Tensor]:
    return SLOPE @ theta, 0.5 * theta @ FISHER @ theta


def test_conjugate_gradient_solves_the_system() -> None:
    root = torch.randn(6, 6, generator=torch.Generator().manual_seed(0)).double()
    matrix = root @ root.T + torch.eye(6)
    target = torch.arange(6.0).double()
    solved = conjugate_gradient(lambda v: matrix @ v, target, iterations=6)
    torch.testing.assert_close(matrix @ solved, target)


def test_it_takes_the_natural_gradient_to_the_edge_of_the_region() -> None:
    region = TrustRegion(max_kl=0.02 * (1 + 1e-5), damping=0.0)
    stepped = trust_region_step(torch.zeros(2), linear, region)
    natural = torch.linalg.solve(FISHER, SLOPE)
    expected = math.sqrt(2 * 0.02 / float(SLOPE @ natural)) * natural
    torch.testing.assert_close(stepped.theta, expected, rtol=1e-3, atol=0.0)
    assert stepped.accepted
    assert stepped.improvement == pytest.approx(float(SLOPE @ expected), rel=1e-3)
    assert stepped.kl == pytest.approx(0.02, rel=1e-3)


def test_what_makes_nothing_better_is_refused() -> None:
    def bumpy(theta: Tensor) -> tuple[Tensor, Tensor]:
        value, kl = linear(theta)
        return value - 1e6 * (theta.detach() ** 2).sum(), kl  # no slope at the start sees it

    stepped = trust_region_step(torch.zeros(2), bumpy, TrustRegion(damping=0.0))
    assert not stepped.accepted
    assert stepped.theta.tolist() == [0.0, 0.0]


def test_a_divergence_that_grows_faster_than_its_curvature_shortens_the_step() -> None:
    def steep(theta: Tensor) -> tuple[Tensor, Tensor]:
        value, kl = linear(theta)
        return value, kl + 1e3 * kl**2

    stepped = trust_region_step(torch.zeros(2), steep, TrustRegion(max_kl=0.02, damping=0.0))
    assert stepped.accepted
    assert 0 < stepped.kl <= 0.02


def test_wrong_settings_are_refused() -> None:
    for wrong in ({"max_kl": 0.0}, {"shrink": 1.0}, {"iterations": 0}, {"damping": -1.0}):
        with pytest.raises(ValueError, match="expected"):
            TrustRegion(**wrong)  # type: ignore[arg-type]
