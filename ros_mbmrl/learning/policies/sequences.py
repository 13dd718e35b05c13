"""Replay of sequences: transitions that know the one before them, so that each has its history.

No history reaches across the beginning of an episode, nor to a transition that made room.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Generator, Tensor

from ros_mbmrl.learning.policies.replay import Batch, Replay
from ros_mbmrl.networks.history import Histories
from ros_mbmrl.robots.spec import Robot

NONE = -1  # in place of the number of a transition


class Sequences(Replay):
    """The newest `size` transitions between states (n, ds), each numbered since the beginning.

    Rows with history are a state, then its observation with the history: (n, ds + layout.size).

    Args:
        size: of the memory, in transitions.
        robot: tells what a policy sees of a state.
        layout: of observations with histories.
    """

    def __init__(self, size: int, robot: Robot, layout: Histories) -> None:
        super().__init__(size, len(robot.spec.state), len(robot.spec.action))
        self._before = torch.full((size,), NONE)
        self._robot, self._layout, self._total = robot, layout, 0
        self._last = torch.full((0,), NONE)  # number of each world's newest transition
        self.bytes += self._before.nbytes

    def begin(self, worlds: int) -> None:
        """Begin episodes in so many worlds: what follows has no transition before it."""
        self._last = torch.full((worlds,), NONE)

    def add(self, batch: Batch, worlds: Tensor | None = None) -> None:
        """Keep a transition of each of the `worlds` (n,), or of all of them."""
        rows = torch.arange(len(self._last)) if worlds is None else worlds
        if not len(rows) == len(batch.rewards) <= len(self._before):
            raise ValueError(f"replay: expected a transition of each of {len(rows)} worlds")
        super().add(batch)
        numbers = self._total + torch.arange(len(rows))
        self._before[numbers % len(self._before)] = self._last[rows]
        self._last[rows] = numbers
        self._total += len(rows)

    @property
    def numbers(self) -> Tensor:
        """Return the numbers of all that is held, oldest first."""
        return torch.arange(self._total - len(self), self._total)

    @property
    def beginnings(self) -> Tensor:
        """Return the numbers of what is held that begins an episode."""
        numbers = self.numbers
        return numbers[self._before[numbers % len(self._before)] == NONE]

    def drawn(self, rows: int, generator: Generator) -> Tensor:
        """Draw numbers (rows,) with replacement.

        Raises:
            ValueError: there are none.
        """
        if not len(self):
            raise ValueError("replay: expected transitions, has none")
        return self.numbers[torch.randint(len(self), (rows,), generator=generator)]

    def at(self, numbers: Tensor) -> Batch:
        """Return the transitions of these numbers (n,), rows with history."""
        states, actions, rewards, following, ended = self._of(numbers)
        seen = self._layout.joined(self._robot.observation(states), *self._past(numbers))
        after = self._robot.observation(following)
        then = self._layout.moved(seen, actions, rewards[:, 0], after)
        before, later = torch.cat([states, seen], dim=1), torch.cat([following, then], dim=1)
        return Batch(before, actions, rewards[:, 0], later, ended[:, 0])

    def _past(self, numbers: Tensor) -> tuple[Tensor, Tensor]:
        """Return the transitions (n, L, w) before these, and which of them there are (n, L)."""
        count, length = len(numbers), self._layout.length
        past = torch.zeros(count, length, self._layout.width)
        valid = torch.zeros(count, length)
        oldest, at = self._total - len(self), numbers
        for k in reversed(range(length)):
            at = torch.where(at == NONE, NONE, self._before[at % len(self._before)])
            at = torch.where(at < oldest, NONE, at)
            states, actions, rewards, _, _ = self._of(at.clamp_min(oldest))
            told = (rewards,) if self._layout.rewards else ()
            past[:, k] = torch.cat([self._robot.observation(states), actions, *told], dim=1)
            valid[:, k] = (at != NONE).float()
        return past, valid

    def _of(self, numbers: Tensor) -> list[Tensor]:
        at = numbers % len(self._before)
        return [part[at] for part in self._parts]

    def snapshot(self) -> dict[str, Tensor]:
        """See `Replay.snapshot`."""
        own = {"before": self._before[: len(self)], "last": self._last}
        return {**super().snapshot(), **own, "total": torch.tensor(self._total)}

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """See `Replay.restore`."""
        super().restore(tensors)
        self._total, self._last = int(tensors["total"]), tensors["last"].clone()
        self._before[: len(self)] = tensors["before"]
