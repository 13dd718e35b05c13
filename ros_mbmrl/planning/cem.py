"""Cross-entropy method (de Boer et al. 2005; Chua et al. 2018 for model-based control)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ros_mbmrl.planning.sampling import Limits, SamplingConfig, check_count, check_range, configure
from ros_mbmrl.planning.search import SamplingPlanner, Search, finite_or_inf
from ros_mbmrl.robots.spec import RobotSpec


@dataclass(frozen=True)
class CEMConfig(SamplingConfig):
    """CEM's parameters, beside those of the sampling.

    Args:
        elite_fraction: part of the candidates that the next distribution is fitted to.
        min_sigma: smallest standard deviation, as a fraction of the range.
        momentum: share of the old mean and deviation that is kept.
    """

    num_samples: int = 200
    iterations: int = 3
    elite_fraction: float = 0.1
    min_sigma: float = 0.02
    momentum: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        check_count("iterations", self.iterations)
        check_range("elite_fraction", self.elite_fraction, 1e-6, 1.0)
        check_range("min_sigma", self.min_sigma, 0.0, self.sigma)
        check_range("momentum", self.momentum, 0.0, 0.999)


class CEM(SamplingPlanner):
    """Planner that fits a Gaussian to the best candidates as rolled out, and samples again."""

    def __init__(self, limits: Limits, config: CEMConfig) -> None:
        super().__init__(limits, config, config.iterations)
        self._fraction = config.elite_fraction
        self._min_std = config.min_sigma * limits.span
        self._momentum = config.momentum

    def update(self, search: Search, candidates: Tensor, costs: Tensor) -> Search:
        """Fit the next distribution. See `SamplingPlanner.update`."""
        best = elites(candidates, costs, max(1, round(self._fraction * len(costs))))
        mean, std = best.mean(0), best.std(0, correction=0)
        std = torch.maximum(
            torch.lerp(std, search.std.expand_as(std), self._momentum), self._min_std
        )
        if search.mean is not None:
            mean = torch.lerp(mean, search.mean, self._momentum)
        return Search(mean, std)


def elites(candidates: Tensor, costs: Tensor, count: int) -> Tensor:
    """Return the `count` candidates (K, ...) of lowest cost (K,); fewer if fewer are finite."""
    count = min(count, int(costs.isfinite().sum()))
    return candidates[finite_or_inf(costs).topk(count, largest=False).indices]


def make_cem(spec: RobotSpec, **overrides: Any) -> CEM:
    """Return CEM for a robot. Raises UserError."""
    return CEM(Limits.of(spec), configure(CEMConfig, overrides))
