"""Normalisation over all data: raw data is stored, statistics are applied at use."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor


@dataclass(frozen=True)
class Normalizer:
    """Means and standard deviations of model inputs (features, then actions) and of changes.

    Args:
        input_mean, input_std: (df + da,).
        change_mean, change_std: (dc,).
        clip: normalised inputs are limited to +-clip, so that implausible telemetry stays bounded.
    """

    input_mean: Tensor
    input_std: Tensor
    change_mean: Tensor
    change_std: Tensor
    clip: float = 6.0

    @classmethod
    def fit(cls, inputs: Tensor, changes: Tensor) -> Normalizer:
        """Compute the statistics of plausible rows (n, ...); a constant column keeps scale 1."""

        def spread(rows: Tensor) -> Tensor:
            std = rows.std(dim=0, correction=0)
            return torch.where(std > 1e-6, std, torch.ones_like(std))

        return cls(inputs.mean(dim=0), spread(inputs), changes.mean(dim=0), spread(changes))

    def to(self, device: torch.device) -> Normalizer:
        """Return the statistics on a device."""
        names = ("input_mean", "input_std", "change_mean", "change_std")
        return replace(self, **{name: getattr(self, name).to(device) for name in names})

    def inputs(self, features: Tensor, actions: Tensor) -> Tensor:
        """Return normalised, clipped network inputs (..., df + da)."""
        return self.raw_inputs(features, actions).clamp(-self.clip, self.clip)

    def raw_inputs(self, features: Tensor, actions: Tensor) -> Tensor:
        """Return normalised inputs without the clip, which show how implausible a row is."""
        return (torch.cat([features, actions], dim=-1) - self.input_mean) / self.input_std

    def changes(self, changes: Tensor) -> Tensor:
        """Return normalised changes (..., dc)."""
        return (changes - self.change_mean) / self.change_std

    def denormalise(self, outputs: Tensor) -> Tensor:
        """Return changes in SI units for network outputs (..., dc)."""
        return outputs * self.change_std + self.change_mean
