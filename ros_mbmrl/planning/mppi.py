"""Model predictive path integral control (Williams, Aldrich and Theodorou 2015)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

import torch
from torch import Tensor

from ros_mbmrl.planning.sampling import (
    Limits,
    SamplingConfig,
    check_count,
    check_flag,
    configure,
)
from ros_mbmrl.planning.search import SamplingPlanner, Search, finite_or_inf
from ros_mbmrl.robots.live import Live
from ros_mbmrl.robots.spec import RobotSpec


@dataclass(frozen=True)
class MPPIConfig(SamplingConfig):
    """MPPI's parameters, beside those of the sampling.

    Args:
        temperature: how much worse than the best a candidate may be and still count; lower is
            greedier. In units of the cost, unless it is relative.
        iterations: how often the plan is improved in a period.
        relative_temperature: measure the temperature in units of the costs' spread (median less
            minimum of the finite ones, which outliers do not move), so that it means the same for
            every task and at every distance from the goal.
    """

    LIVE: ClassVar[Mapping[str, Live]] = MappingProxyType(
        {
            **SamplingConfig.LIVE,
            "temperature": Live(1e-6, 1e6, "how much worse than the best still counts"),
        }
    )

    temperature: float = 0.1
    iterations: int = 1
    relative_temperature: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        check_count("iterations", self.iterations)
        check_flag("relative_temperature", self.relative_temperature)


class MPPI(SamplingPlanner):
    """Planner whose new plan is the mean of all candidates, weighted exponentially by cost.

    The weights are those of the candidates as rolled out, after clipping. The published form
    weights the noise before clipping, and then executes a plan that was never imagined.
    """

    def __init__(self, limits: Limits, config: MPPIConfig) -> None:
        super().__init__(limits, config, config.iterations)
        self._temperature = config.temperature, config.relative_temperature

    def update(self, search: Search, candidates: Tensor, costs: Tensor) -> Search:
        """Return the weighted mean. See `SamplingPlanner.update`."""
        weights = importance_weights(costs, *self._temperature)
        sequences = candidates.flatten(-2)
        if weights.dim() == 1:
            mixed = weights @ sequences
        else:
            mixed = torch.bmm(weights[:, None], sequences)
        return Search(mixed.reshape(*costs.shape[:-1], *candidates.shape[-2:]), search.std)


def importance_weights(costs: Tensor, temperature: float, relative: bool) -> Tensor:
    """Return w = softmax(-(S - min S) / temperature) over the finite costs S; 0 for the others.

    costs: (..., K). The weights (..., K) sum to 1; where no cost is finite, they are nan.
    """
    ranked = finite_or_inf(costs)
    best = ranked.amin(dim=-1, keepdim=True)
    excess = ranked - best
    if relative:
        # All equal: excess is 0 whatever it is divided by, and the weights are uniform.
        finite = torch.where(costs.isfinite(), costs, torch.nan)
        excess = excess / (finite.nanmedian(dim=-1, keepdim=True).values - best).clamp_min(1e-20)
    return torch.softmax(-excess / temperature, dim=-1)


def make_mppi(spec: RobotSpec, **overrides: Any) -> MPPI:
    """Return MPPI for a robot. Raises UserError."""
    return MPPI(Limits.of(spec), configure(MPPIConfig, overrides))
