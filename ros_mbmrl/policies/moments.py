"""Running means and deviations of observations, merged batch by batch (Chan et al. 1979)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Moments:
    """mean, variance: (do,) float64, over `count` rows."""

    mean: Tensor
    variance: Tensor
    count: int

    @classmethod
    def none(cls, dims: int) -> Moments:
        """Return the moments before the first observation."""
        return cls(torch.zeros(dims).double(), torch.ones(dims).double(), 0)

    def merged(self, rows: Tensor) -> Moments:
        """With these rows (n, do) as well."""
        rows = rows.double()
        mean, variance = rows.mean(0), rows.var(0, correction=0)
        count = self.count + len(rows)
        share = len(rows) / count
        apart = mean - self.mean
        spread = torch.lerp(self.variance, variance, share) + share * (1 - share) * apart**2
        return Moments(self.mean + share * apart, spread, count)

    @property
    def std(self) -> Tensor:
        """(do,) float32; 1 for what does not vary."""
        std = self.variance.sqrt()
        return torch.where(std > 1e-6, std, torch.ones_like(std)).float()
