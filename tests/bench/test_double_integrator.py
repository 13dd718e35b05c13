"""Closed forms of the double integrator, against long sums and finite differences."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from ros_mbmrl.bench.double_integrator import A, B, LinearReturn, Q, R

GAIN = torch.tensor([[-0.6, -0.8]], dtype=torch.float64)
STARTS = torch.tensor([[1.0, 0.0], [-0.5, 2.0], [0.3, -1.0]], dtype=torch.float64)


def mean_return(gain: Tensor, steps: int = 3000, first: Tensor | None = None) -> Tensor:
    states, total, weight = STARTS, torch.zeros(3, dtype=torch.float64), 1.0
    for t in range(steps):
        forces = states @ gain.T if t or first is None else first
        states = states @ A.T + forces @ B.T
        total = total - weight * ((states @ Q * states).sum(1) + R * forces[:, 0] ** 2)
        weight *= 0.99
    return total.mean()


def test_the_gradient_is_that_of_the_sum_of_rewards() -> None:
    gain = GAIN.clone().requires_grad_()
    (slope,) = torch.autograd.grad(mean_return(gain), gain)
    assert torch.allclose(LinearReturn(GAIN, 0.99).gradient(STARTS), slope, rtol=1e-6)


def test_the_critic_is_the_return_after_a_force() -> None:
    forces = torch.tensor([[2.0], [-1.0], [0.0]], dtype=torch.float64)
    found = LinearReturn(GAIN, 0.99).critic(STARTS, forces)
    assert float(found.mean()) == pytest.approx(float(mean_return(GAIN, first=forces)), rel=1e-8)


def test_the_objective_of_no_step_is_the_critics_gradient() -> None:
    known, gain = LinearReturn(GAIN, 0.99), GAIN.clone().requires_grad_()
    (slope,) = torch.autograd.grad(known.critic(STARTS, STARTS @ gain.T).mean(), gain)
    assert torch.allclose(known.gradient(STARTS, 0), slope)
    assert torch.allclose(known.gradient(STARTS, 2000), known.gradient(STARTS), rtol=1e-6)


def test_a_policy_without_a_finite_return_is_refused() -> None:
    with pytest.raises(ValueError, match="gain: expected a finite return, got growth"):
        LinearReturn(torch.tensor([[1.0, 1.0]], dtype=torch.float64), 0.99)
