"""Cross-entropy method (de Boer et al. 2005; Chua et al. 2018 for model-based control)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

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


class Elites(NamedTuple):
    """The best candidates.

    Args:
        actions: (..., E, H, da), the best first.
        well: (..., E), false where a cost was not finite: there are fewer.
    """

    actions: Tensor
    well: Tensor


class CEM(SamplingPlanner):
    """Planner that fits a Gaussian to the best candidates as rolled out, and samples again."""

    def __init__(self, limits: Limits, config: CEMConfig) -> None:
        super().__init__(limits, config, config.iterations)
        self._fraction = config.elite_fraction
        self._min_std = config.min_sigma * limits.span
        self._momentum = config.momentum

    def elite_count(self, candidates: int) -> int:
        """Return how many of so many candidates the distribution is fitted to."""
        return max(1, round(self._fraction * candidates))

    def update(self, search: Search, candidates: Tensor, costs: Tensor) -> Search:
        """Fit the next distribution. See `SamplingPlanner.update`."""
        count = self.elite_count(costs.shape[-1])
        return self.fitted(search, elites_of(candidates, costs, count))

    def fitted(self, search: Search, elites: Elites) -> Search:
        """Return the Gaussian of elites, mixed with the last one, and no narrower than allowed."""
        share = elites.well[..., None, None].to(elites.actions)
        share = share / share.sum(dim=-3, keepdim=True)
        mean = (share * elites.actions).sum(dim=-3)
        variance = (share * (elites.actions - mean.unsqueeze(-3)).square()).sum(dim=-3)
        std = torch.lerp(variance.sqrt(), search.std.expand_as(variance), self._momentum)
        if search.mean is not None:
            mixed = torch.lerp(mean, search.mean, self._momentum)
            known = search.known
            mean = mixed if known is None else torch.where(known[:, None, None], mixed, mean)
        return Search(mean, torch.maximum(std, self._min_std))


def elites_of(candidates: Tensor, costs: Tensor, count: int) -> Elites:
    """Return the `count` candidates (..., K, H, da) of lowest cost (..., K)."""
    found = finite_or_inf(costs).topk(min(count, costs.shape[-1]), largest=False)
    rows = found.indices[..., None, None].expand(*found.indices.shape, *candidates.shape[-2:])
    return Elites(candidates.gather(-3, rows), found.values.isfinite())


def make_cem(spec: RobotSpec, **overrides: Any) -> CEM:
    """Return CEM for a robot. Raises UserError."""
    return CEM(Limits.of(spec), configure(CEMConfig, overrides))
