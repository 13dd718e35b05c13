"""Advantages: returns less a linear baseline (Duan et al. 2016), by GAE (Schulman et al. 2016)."""

from __future__ import annotations

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


def linear_baseline(observations: Tensor, returns: Tensor, ridge: float = 1e-5) -> Tensor:
    """Values (N, M, T) that ridge regression gives each of N tasks from M episodes of its own.

    observations: (N, M, T, do), normalised. returns: (N, M, T). Features: the observation, its
    squares, and a cubic in time.
    """
    tasks, episodes, steps, _ = observations.shape
    time = torch.arange(steps, dtype=observations.dtype)[:, None] / 100
    clock = torch.cat([time, time**2, time**3, torch.ones_like(time)], dim=1)
    clock = clock.expand(tasks, episodes, steps, 4)
    features = torch.cat([observations, observations**2, clock], dim=-1).flatten(1, 2).double()
    gram = features.mT @ features / (episodes * steps)
    gram = gram + ridge * torch.eye(gram.shape[-1], dtype=gram.dtype)
    right = features.mT @ returns.flatten(1)[..., None].double() / (episodes * steps)
    values: Tensor = features @ torch.linalg.solve(gram, right)
    return values.reshape(returns.shape).to(returns.dtype)


def generalised_advantages(
    rewards: Tensor, values: Tensor, discount: float, decay: float
) -> Tensor:
    """GAE(discount, decay) of episodes that end after T steps, (..., T)."""
    following = torch.cat([values[..., 1:], torch.zeros_like(values[..., :1])], dim=-1)
    return discounted(rewards + discount * following - values, discount * decay)


def standardised(advantages: Tensor) -> Tensor:
    """Mean 0 and deviation 1 for each task, over all of its episodes (N, ...)."""
    flat = advantages.flatten(1)
    mean, std = flat.mean(1, keepdim=True), flat.std(1, correction=0, keepdim=True)
    return ((flat - mean) / (std + 1e-8)).reshape(advantages.shape)
