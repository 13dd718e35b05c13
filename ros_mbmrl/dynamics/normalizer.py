"""Normalisation over all data: raw data is stored, statistics are applied at use."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor


@dataclass(frozen=True)
class Normalizer:
    """Means and deviations of model inputs (features, then actions) and of changes.

    input_mean, input_std: (df + da,). change_mean, change_std: (dc,).
    clip: normalised inputs are held within +-clip, so that wild telemetry stays bounded.
    """

    input_mean: Tensor
    input_std: Tensor
    change_mean: Tensor
    change_std: Tensor
    clip: float = 6.0

    @classmethod
    def fit(cls, inputs: Tensor, changes: Tensor) -> Normalizer:
        """Statistics of rows (n, ...) that are to be trusted; a constant column keeps scale 1."""

        def spread(rows: Tensor) -> Tensor:
            std = rows.std(dim=0, correction=0)
            return torch.where(std > 1e-6, std, torch.ones_like(std))

        return cls(inputs.mean(dim=0), spread(inputs), changes.mean(dim=0), spread(changes))

    def to(self, device: torch.device) -> Normalizer:
        """The same on a device."""
        names = ("input_mean", "input_std", "change_mean", "change_std")
        return replace(self, **{name: getattr(self, name).to(device) for name in names})

    def inputs(self, features: Tensor, actions: Tensor) -> Tensor:
        """Normalised, clipped network inputs (..., df + da)."""
        return self.raw_inputs(features, actions).clamp(-self.clip, self.clip)

    def raw_inputs(self, features: Tensor, actions: Tensor) -> Tensor:
        """The same without the clip: how wild a row is."""
        return (torch.cat([features, actions], dim=-1) - self.input_mean) / self.input_std

    def changes(self, changes: Tensor) -> Tensor:
        """Normalised changes (..., dc)."""
        return (changes - self.change_mean) / self.change_std

    def denormalise(self, outputs: Tensor) -> Tensor:
        """Changes in SI units from network outputs (..., dc)."""
        return outputs * self.change_std + self.change_mean
