"""A policy without memory whose MLP sees normalised observations: what its kinds share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from ros_mbmrl.networks.mlp import MLP, Parameters


@dataclass(frozen=True)
class MLPPolicy(ABC):
    """Shape of a policy; parameters are apart.

    Args:
        mlp: from observations.
        mean, std: (do,), that observations are normalised by, and held within +-clip.
    """

    mlp: MLP
    mean: Tensor
    std: Tensor
    clip: float = 10.0

    def __post_init__(self) -> None:
        inputs = (self.mlp.sizes[0],)
        if self.mean.shape != inputs or self.std.shape != inputs or not (self.std > 0).all():
            raise ValueError(f"mean, std: expected shape {inputs} and std above 0")

    def normalised(self, observations: Tensor) -> Tensor:
        """Return observations (..., do) as the network sees them."""
        return ((observations - self.mean) / self.std).clamp(-self.clip, self.clip)

    @staticmethod
    def seen(observation: Tensor, context: Tensor | None) -> Tensor:
        """Return what the network is given: the observation, and after it the context, if any."""
        return observation if context is None else torch.cat([observation, context], dim=-1)

    def first_memory(self, count: int) -> Tensor | None:
        """See `Policy.first_memory`: it remembers nothing."""
        return None

    @abstractmethod
    def means(self, parameters: Parameters, observations: Tensor) -> Tensor:
        """Return the actions (..., da) without noise."""
