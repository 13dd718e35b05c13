"""Advantages: returns less a linear baseline (Duan et al. 2016), by GAE (Schulman et al. 2016)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


def discounted(rewards: Tensor, discount: float) -> Tensor:
    """sum_{t' >= t} discount^(t' - t) r_t' over the last axis, (..., T)."""
    total = torch.zeros_like(rewards[..., 0])
    sums = []
    for reward in reversed(rewards.unbind(-1)):
        total = reward + discount * total
        sums.append(total)
    return torch.stack(sums[::-1], dim=-1)


@dataclass(frozen=True)
class LinearBaseline:
    """V(o, t): linear in observations, their squares, and a cubic in time.

    weights: (F,) float64. Observations are normalised, (..., T, do), from an episode's begin on.
    """

    weights: Tensor

    @classmethod
    def fit(
        cls,
        observations: Tensor,
        returns: Tensor,
        ridge: float = 1e-5,
        live: Tensor | None = None,
    ) -> LinearBaseline:
        """By ridge regression on returns (..., T); live: (..., T) bool, the steps to fit to."""
        features = _features(observations).flatten(0, -2)
        if live is not None:
            features, returns = features[live.flatten()], returns[live]
        gram = features.mT @ features / len(features)
        gram = gram + ridge * torch.eye(len(gram), dtype=gram.dtype)
        right = features.mT @ returns.flatten().double() / len(features)
        return cls(torch.linalg.solve(gram, right))

    def values(self, observations: Tensor) -> Tensor:
        """(..., T)."""
        return (_features(observations) @ self.weights).to(observations.dtype)


def _features(observations: Tensor) -> Tensor:
    """(..., T, F) float64."""
    *leading, steps, _ = observations.shape
    time = torch.arange(steps, dtype=observations.dtype)[:, None] / 100
    clock = torch.cat([time, time**2, time**3, torch.ones_like(time)], dim=1)
    clock = clock.expand(*leading, steps, 4)
    return torch.cat([observations, observations**2, clock], dim=-1).double()


def generalised_advantages(
    rewards: Tensor, values: Tensor, discount: float, decay: float
) -> Tensor:
    """GAE(discount, decay) of episodes that end after T steps, (..., T).

    Of those that end earlier, rewards and values after the end are 0; so are then the advantages.
    """
    following = torch.cat([values[..., 1:], torch.zeros_like(values[..., :1])], dim=-1)
    return discounted(rewards + discount * following - values, discount * decay)


def standardised(advantages: Tensor, live: Tensor | None = None) -> Tensor:
    """Mean 0 and deviation 1 for each task, over all of its episodes (N, ...).

    live: (N, ...) bool, the steps that are averaged over; the others are 0.
    """
    flat = advantages.flatten(1)
    if live is None:
        mean, std = flat.mean(1, keepdim=True), flat.std(1, correction=0, keepdim=True)
        return ((flat - mean) / (std + 1e-8)).reshape(advantages.shape)
    counted = live.flatten(1)
    apart = torch.where(counted, flat - mean_of(flat, counted)[:, None], 0.0)
    std = mean_of(apart.square(), counted).sqrt()[:, None]
    return (apart / (std + 1e-8)).reshape(advantages.shape)


def mean_of(values: Tensor, live: Tensor | None) -> Tensor:
    """Return the means of values (N, B) over the steps that are `live` (N, B), (N,); None: all."""
    if live is None:
        return values.mean(-1)
    return torch.where(live, values, 0.0).sum(-1) / live.sum(-1)
