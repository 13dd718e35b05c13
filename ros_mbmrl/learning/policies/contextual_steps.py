"""Control periods of an on-policy learner whose policy infers a context z from its history."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from ros_mbmrl.networks.history import Histories
from ros_mbmrl.policies.advantages import generalised_advantages
from ros_mbmrl.policies.sampling import Discounts


class Steps(NamedTuple):
    """Control periods, the same leading dimensions (...) in all parts.

    rows (..., size): observations with histories. noise (..., units): that z was drawn with. coded
    (..., do + units): observations and z. raw (..., da): actions before they were squashed. likely,
    values, rewards (...): log pi of raw but for a constant, V and what was paid. live (...): bool,
    whether the episode was not over.
    """

    rows: Tensor
    noise: Tensor
    coded: Tensor
    raw: Tensor
    likely: Tensor
    values: Tensor
    rewards: Tensor
    live: Tensor


class Episode(NamedTuple):
    """An episode of N robots: steps (T, N, ...), and V (N,) of what comes after them."""

    steps: Steps
    after: Tensor

    def advantages(self, discounts: Discounts) -> Tensor:
        """Return the advantages (T, N), by GAE; V stands for rewards after the time is up."""
        values, rewards = self.steps.values * self.steps.live, self.steps.rewards.clone()
        rewards[-1] += discounts.discount * self.after
        own = discounts.discount, discounts.decay
        return generalised_advantages(rewards.T, values.T, *own).T


class Batch(NamedTuple):
    """Control periods that count, (n, ...), with advantages and normalised returns (n,)."""

    steps: Steps
    advantages: Tensor
    returns: Tensor

    def rows(self, rows: Tensor) -> Batch:
        """Return some of the control periods."""
        steps = Steps(*(each[rows] for each in self.steps))
        return Batch(steps, self.advantages[rows], self.returns[rows])


def carried(layout: Histories, held: Tensor, observations: Tensor) -> Tensor:
    """Return rows with history (N, size) at the beginning of the task's next episode.

    The last transition is dropped: what comes after it in a history is no longer where it led to.

    Args:
        layout: of the rows.
        held: rows at the end of the episode before.
        observations: (N, do), of now.
    """
    rows = torch.cat([observations, held[:, layout.observations :]], dim=1)
    rows[:, -1] = 0.0  # the newest transition is not valid
    return rows


def likelihood(raw: Tensor, mean: Tensor, log_std: Tensor) -> Tensor:
    """Return log pi (n,) of actions before squashing (n, da), without what cancels in a ratio."""
    return -(0.5 * ((raw - mean) / log_std.exp()).square() + log_std).sum(-1)
