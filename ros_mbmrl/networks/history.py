"""Histories of the last L transitions beside an observation, and the GRU that encodes them.

h_{L:t} = {o_{t-L}, a_{t-L}, ..., o_{t-1}, a_{t-1}, o_t} (Hiraoka et al., section 4). It travels as
one row of numbers: the observation o_t, then the L transitions before it, oldest first, each with a
last number that is 1, or 0 where the episode had not begun yet. Whoever takes observations can
so be given observations with their histories.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import torch
from torch import Generator, Tensor

from ros_mbmrl.networks.groups import GRU
from ros_mbmrl.networks.mlp import Parameters
from ros_mbmrl.networks.recurrent import gates

LIMIT = 10.0  # of everything that enters the encoder


class Parts(NamedTuple):
    """Parts of rows with history.

    now: observations (B, do). past: transitions (B, L, w). valid: (B, L), 1 for a transition of
    this episode.
    """

    now: Tensor
    past: Tensor
    valid: Tensor


@dataclass(frozen=True)
class Histories:
    """Layout of observations with their histories.

    Args:
        observations, actions: numbers of each.
        length: L, transitions that are remembered; 0: none.
        rewards: whether a transition tells its reward, too. Without it nobody can infer a task that
            only the reward depends on.
    """

    observations: int
    actions: int
    length: int
    rewards: bool = False

    def __post_init__(self) -> None:
        if min(self.observations, self.actions) < 1 or self.length < 0:
            raise ValueError(f"history: expected numbers above 0 and a length of 0 or more: {self}")

    @property
    def width(self) -> int:
        """Return w, the numbers of a transition."""
        return self.observations + self.actions + int(self.rewards)

    @property
    def memory(self) -> int:
        """Return the numbers of a history, without the observation that it belongs to."""
        return self.length * (self.width + 1)

    @property
    def size(self) -> int:
        """Return the numbers of an observation with its history."""
        return self.observations + self.memory

    def begun(self, observations: Tensor) -> Tensor:
        """Return observations (B, do) at the beginning of episodes, without a past (B, size)."""
        return torch.cat([observations, observations.new_zeros(len(observations), self.memory)], 1)

    def joined(self, now: Tensor, past: Tensor, valid: Tensor) -> Tensor:
        """Return rows (B, size) of the parts that `parts` gives."""
        told = torch.cat([past * valid[..., None], valid[..., None]], dim=-1)
        return torch.cat([now, told.flatten(1)], dim=1)

    def parts(self, seen: Tensor) -> Parts:
        """Return the parts of rows (..., size); leading dimensions stay."""
        now, memory = seen[..., : self.observations], seen[..., self.observations :]
        told = memory.reshape(*seen.shape[:-1], self.length, self.width + 1)
        return Parts(now, told[..., :-1], told[..., -1])

    def moved(self, seen: Tensor, actions: Tensor, rewards: Tensor, following: Tensor) -> Tensor:
        """Return rows (B, size) one transition later, without the oldest one of before.

        Args:
            seen: rows (B, size).
            actions, rewards: (B, da) and (B,), of the transition.
            following: observations (B, do) after it.
        """
        if not self.length:
            return following
        kept = seen[:, self.observations + self.width + 1 :]
        now = seen[:, : self.observations]
        told = (now, actions, *((rewards[:, None],) if self.rewards else ()))
        return torch.cat([following, kept, *told, torch.ones_like(now[:, :1])], dim=1)


class ContextEncoder(Protocol):
    """Infers a context z from a history, as a pure function of its parameters."""

    @property
    def units(self) -> int:
        """Return the numbers of z."""

    @property
    def inputs(self) -> int:
        """Return w, the numbers of a transition."""

    def init(self, generator: Generator) -> Parameters:
        """Draw parameters, in a group of their own."""

    def forward(self, parameters: Parameters, parts: Parts) -> Tensor:
        """Return contexts z (..., units) of histories (...)."""


@dataclass(frozen=True)
class Encoder:
    """A GRU from a history to a context z, as a pure function of its parameters.

    Args:
        inputs: w, numbers of a transition.
        units: of the GRU, numbers of z.
    """

    inputs: int
    units: int = 5

    def __post_init__(self) -> None:
        if min(self.inputs, self.units) < 1:
            raise ValueError(f"encoder: expected inputs and units above 0, got {self}")

    def init(self, generator: Generator) -> Parameters:
        """Draw parameters, in the group `gru`."""
        return GRU.named(gates(self.inputs, self.units, generator))

    def forward(self, parameters: Parameters, parts: Parts) -> Tensor:
        """Return contexts z (..., units) of histories (...); z of no history is 0.

        Transitions that are not valid leave the context as it is.
        """
        past, valid = parts.past, parts.valid
        leading, length = past.shape[:-2], past.shape[-2]
        rows = past.clamp(-LIMIT, LIMIT).reshape(-1, length, self.inputs)
        there = valid.reshape(-1, length, 1)
        weights = [parameters[GRU.prefix + name] for name in ("wi", "wh", "bi", "bh")]
        hidden = rows.new_zeros(len(rows), self.units)
        for k in range(length):
            after = torch.gru_cell(rows[:, k], hidden, *weights)
            hidden = torch.lerp(hidden, after, there[:, k].expand_as(hidden))
        return hidden.view(*leading, self.units)
