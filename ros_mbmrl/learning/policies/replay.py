"""Replay: a bounded memory of transitions, from which batches are drawn at random."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Generator, Tensor


class Batch(NamedTuple):
    """Transitions, a row each. terminated: 1 where nothing comes after; not where time was up."""

    observations: Tensor
    actions: Tensor
    rewards: Tensor
    following: Tensor
    terminated: Tensor


class Replay:
    """The newest `size` transitions: the oldest makes room.

    Args:
        size: of the memory, in transitions.
        observations, actions: numbers of each.

    Attributes:
        bytes: that it takes, full or not.
    """

    def __init__(self, size: int, observations: int, actions: int) -> None:
        if size < 1:
            raise ValueError(f"replay: expected room for a transition, got {size}")
        widths = observations, actions, 1, observations, 1
        self._parts = [torch.zeros(size, width) for width in widths]
        self._next = self._count = 0
        self.bytes = sum(part.nbytes for part in self._parts)

    def __len__(self) -> int:
        return self._count

    def add(self, batch: Batch) -> None:
        """Keep transitions, n rows; of more than there is room for, the last ones."""
        size, rows = len(self._parts[0]), len(batch.rewards)
        kept = min(rows, size)
        at = (self._next + torch.arange(rows - kept, rows)) % size
        for part, values in zip(self._parts, batch, strict=True):
            part[at] = values[rows - kept :].reshape(kept, -1).to(part)
        self._next, self._count = (self._next + rows) % size, min(self._count + kept, size)

    def draw(self, rows: int, generator: Generator) -> Batch:
        """Draw transitions with replacement.

        Raises:
            ValueError: there are none.
        """
        if not self._count:
            raise ValueError("replay: expected transitions, has none")
        at = torch.randint(self._count, (rows,), generator=generator)
        seen, acted, paid, then, ended = (part[at] for part in self._parts)
        return Batch(seen, acted, paid[:, 0], then, ended[:, 0])

    def snapshot(self) -> dict[str, Tensor]:
        """Return what it holds, for a checkpoint."""
        parts = {str(k): part[: self._count] for k, part in enumerate(self._parts)}
        return {**parts, "next": torch.tensor(self._next)}

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Go back to a snapshot."""
        self._next, self._count = int(tensors["next"]), len(tensors["0"])
        for k, part in enumerate(self._parts):
            part[: self._count] = tensors[str(k)]
