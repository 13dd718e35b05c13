"""iCEM (Pinneri et al. 2020): CEM with coloured noise, and elites that are kept and carried on.

Sequences of motor commands that do something are slow against the control period. The noise has a
power spectrum 1/f^exponent. A share of the elites takes part again in the next iteration, and,
moved a step on, in the next period. Two things differ from the paper: the number of candidates is
the same in every iteration, and the mean of the elites is what is executed, because the best
candidate is the one that exploits the errors of a learned model most.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, ClassVar

import torch
from torch import Tensor

from ros_mbmrl.planning.cem import CEM, CEMConfig, elites_of
from ros_mbmrl.planning.sampling import Limits, Sampler, check_range, configure
from ros_mbmrl.planning.search import Search
from ros_mbmrl.robots.live import Live
from ros_mbmrl.robots.spec import RobotSpec


@dataclass(frozen=True)
class ICEMConfig(CEMConfig):
    """iCEM's parameters, beside those of CEM.

    Args:
        exponent: of the noise's power spectrum 1/f^exponent; 0 is white noise.
        kept_fraction: share of the elites that takes part again.
    """

    LIVE: ClassVar[Mapping[str, Live]] = MappingProxyType(
        {
            **CEMConfig.LIVE,
            "exponent": Live(0.0, 4.0, "exponent of the noise's spectrum"),
        }
    )

    num_samples: int = 100
    horizon: int = 20
    sigma: float = 0.3
    correlation: float = 0.0
    held_fraction: float = 0.0
    exponent: float = 0.5
    kept_fraction: float = 0.3

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("kept_fraction", self.kept_fraction, 0.0, 1.0)


class ColouredSampler(Sampler):
    """Source of candidates whose noise has a power spectrum 1/f^exponent.

    The filter is linear and periodic over the horizon, as in the paper, whose noise is drawn in the
    frequency domain.
    """

    def __init__(self, limits: Limits, config: ICEMConfig) -> None:
        super().__init__(limits, config)
        self._colour = config.exponent, config.correlation
        self._kernel = colour(config.horizon, *self._colour)

    def _correlate_(self, noise: Tensor) -> None:
        """Turn white noise (..., K, H, da) into coloured noise of the same variance, in place."""
        steps, kernel = noise.shape[-2], self._kernel
        if steps != len(kernel):  # a shorter plan, for want of time
            kernel = colour(steps, *self._colour)
        noise.copy_(kernel.to(noise) @ noise)


def colour(steps: int, exponent: float, correlation: float = 0.0) -> Tensor:
    """Return the matrix (steps, steps) that turns white noise into noise of spectrum 1/f^exponent.

    Each of its rows has norm 1, so that the variance stays. The mean over the horizon gets the
    share of the lowest frequency.

    Args:
        correlation: AR(1), on top of it.
    """
    frequencies = torch.fft.rfftfreq(steps, dtype=torch.float64)
    if steps > 1:
        frequencies[0] = 1.0 / steps
    gains = frequencies.clamp_min(1e-12) ** (-exponent / 2.0)
    impulses = torch.fft.rfft(torch.eye(steps, dtype=torch.float64), dim=0)
    kernel: Tensor = torch.fft.irfft(gains[:, None] * impulses, n=steps, dim=0)
    for k in range(1, steps):
        kernel[k] += correlation * kernel[k - 1]
    kernel /= torch.linalg.vector_norm(kernel, dim=1, keepdim=True)
    return kernel.to(torch.float32)


class ICEM(CEM):
    """Planner that fits a Gaussian to the elites, keeps some of them, and samples again."""

    def __init__(self, limits: Limits, config: ICEMConfig) -> None:
        super().__init__(limits, config)
        self.sampler = ColouredSampler(limits, config)
        self.kept = round(config.kept_fraction * self.elite_count(config.num_samples))

    def update(self, search: Search, candidates: Tensor, costs: Tensor) -> Search:
        """Fit the next distribution, and keep elites. See `SamplingPlanner.update`."""
        best = elites_of(candidates, costs, self.elite_count(costs.shape[-1]))
        moved = self.fitted(search, best)
        if not self.kept:
            return moved
        # Where fewer are finite than are kept, the best one stands in their place.
        well = best.well[..., : self.kept, None, None]
        kept = best.actions[..., : self.kept, :, :]
        return replace(moved, elites=torch.where(well, kept, best.actions[..., :1, :, :]))


def make_icem(spec: RobotSpec, **overrides: Any) -> ICEM:
    """Return iCEM for a robot. Raises UserError."""
    return ICEM(Limits.of(spec), configure(ICEMConfig, overrides))
