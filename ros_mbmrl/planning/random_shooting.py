"""Random shooting: the best of many random plans (Nagabandi et al. 2018, section IV.C)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ros_mbmrl.planning.sampling import Limits, SamplingConfig, configure
from ros_mbmrl.planning.search import SamplingPlanner, Search, finite_or_inf
from ros_mbmrl.robots.spec import RobotSpec


@dataclass(frozen=True)
class RandomShootingConfig(SamplingConfig):
    """Parameters of random shooting; each plan is noise around an action uniform over the range."""

    num_samples: int = 1000


class RandomShooting(SamplingPlanner):
    """Planner that takes the candidate with the lowest cost; starts anew, as published."""

    def __init__(self, limits: Limits, config: RandomShootingConfig) -> None:
        super().__init__(limits, config, iterations=1)

    def start(self, previous: Tensor | None) -> Search:
        """Return a search over the whole range: the previous plan is not used."""
        return Search(None, self._std)

    def update(self, search: Search, candidates: Tensor, costs: Tensor) -> Search:
        """Return the best candidate. See `SamplingPlanner.update`."""
        best = finite_or_inf(costs).argmin(dim=-1)[..., None, None, None]
        return Search(torch.take_along_dim(candidates, best, dim=-3).squeeze(-3), search.std)


def make_random_shooting(spec: RobotSpec, **overrides: Any) -> RandomShooting:
    """Return random shooting for a robot. Raises UserError."""
    return RandomShooting(Limits.of(spec), configure(RandomShootingConfig, overrides))
