"""The step of TRPO (Schulman et al. 2015): natural gradient, then a line search that holds KL."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

# objective(theta (P,)) -> what to make large, and the divergence from where it started
Objective = Callable[[Tensor], tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class TrustRegion:
    """max_kl: how far one step may go. damping: added to the curvature's diagonal.

    iterations: of conjugate gradient. backtracks: of the line search, each `shrink` times shorter.
    """

    max_kl: float = 0.01
    damping: float = 0.1
    iterations: int = 10
    backtracks: int = 10
    shrink: float = 0.7

    def __post_init__(self) -> None:
        if not (self.max_kl > 0 and self.damping >= 0 and 0 < self.shrink < 1):
            raise ValueError("expected max_kl > 0, damping >= 0, shrink between 0 and 1")
        if min(self.iterations, self.backtracks) < 1:
            raise ValueError("iterations, backtracks: expected at least 1")


@dataclass(frozen=True)
class Stepped:
    """Result of a step: theta (P,), the improvement of the objective, and its KL; 0 if refused."""

    theta: Tensor
    improvement: float
    kl: float
    accepted: bool


def trust_region_step(theta: Tensor, objective: Objective, region: TrustRegion) -> Stepped:
    """Take one step from theta (P,) that makes `objective` larger within the trust region."""
    start = theta.detach().requires_grad_()
    value, kl = objective(start)
    (gradient,) = torch.autograd.grad(value, start, retain_graph=True)
    (slope,) = torch.autograd.grad(kl, start, create_graph=True)

    def curvature(vector: Tensor) -> Tensor:
        (product,) = torch.autograd.grad(slope @ vector, start, retain_graph=True)
        return product + region.damping * vector

    refused = Stepped(theta.detach(), 0.0, 0.0, False)
    direction = conjugate_gradient(curvature, gradient, region.iterations)
    bend = float((direction @ curvature(direction)).detach())
    if not (bend > 0 and math.isfinite(bend)):
        return refused
    full = math.sqrt(2 * region.max_kl / bend) * direction
    before = float(value.detach())
    for k in range(region.backtracks):
        tried = (start + region.shrink**k * full).detach()
        after, far = (float(part) for part in objective(tried))
        if after > before and far <= region.max_kl:
            return Stepped(tried, after - before, far, True)
    return refused


def conjugate_gradient(
    product: Callable[[Tensor], Tensor], target: Tensor, iterations: int, tolerance: float = 1e-10
) -> Tensor:
    """Solve product(x) = target (P,), where `product` is symmetric and positive."""
    x = torch.zeros_like(target)
    residual = target.clone()
    search = target.clone()
    squared = residual @ residual
    for _ in range(iterations):
        if squared <= tolerance:
            break
        image = product(search)
        length = squared / (search @ image)
        x = x + length * search
        residual = residual - length * image
        old, squared = squared, residual @ residual
        search = residual + squared / old * search
    return x
