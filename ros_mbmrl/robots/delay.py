"""Delay: which of the commands already sent act in an interval, and how late commands act.

A command that answers the state of step t begins to act `delay` later. With delay = (steps + share)
* period, the mean command of the interval from step t to t + 1 is

    u_t = (1 - share) * a_{t - steps} + share * a_{t - steps - 1}.

So a plan starts from the state `steps` periods ahead, which the commands already sent decide, and
its first interval still holds a share of the last of those commands.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

Command = TypeVar("Command", NDArray[np.float64], "Tensor")  # (da,), or (N, da) of N robots

LONGEST = 5  # periods; prediction cannot control a robot that answers later than that


@dataclass(frozen=True)
class Delay:
    """A delay in periods: `steps` whole ones and the remaining `share`, 0 to below 1."""

    steps: int = 0
    share: float = 0.0

    @classmethod
    def of(cls, seconds: float, period: float) -> Delay:
        """Return the delay of `seconds`, at most `LONGEST` periods; none unless it is above 0."""
        if not seconds > 0:
            return cls()
        periods = min(seconds / period, float(LONGEST))
        # One period less a rounding error counts as one period.
        steps = math.floor(periods + 1e-6)
        return cls(steps, max(0.0, periods - steps))

    def __bool__(self) -> bool:
        return self.steps > 0 or self.share > 0

    def acting(self, sent: Sequence[Command]) -> Command:
        """Return the mean command (da,) of the interval that starts with the newest of `sent`.

        Args:
            sent: at least one command (da,), oldest first. If there are too few, the oldest is
                repeated.
        """
        newest, older = (sent[max(0, len(sent) - 1 - k)] for k in (self.steps, self.steps + 1))
        return newest if self.share == 0 else (1 - self.share) * newest + self.share * older

    def committed(self, sent: Sequence[Command]) -> list[Command]:
        """Return the mean commands of the next `steps` intervals, which no plan can change.

        Args:
            sent: commands, oldest first; the newest is the answer to the previous state.
        """
        # The repeated last entry is a placeholder for the answer to come; it has no share in the
        # results.
        held = list(sent)
        held.append(sent[-1])
        return [Delay(self.steps - j, self.share).acting(held) for j in range(self.steps)]

    def blend(self, actions: Tensor, previous: Tensor) -> Tensor:
        """Return the mean commands (..., H, da) of plans; previous (..., da): the last one sent."""
        if self.share == 0:
            return actions
        mean = (1 - self.share) * actions
        mean[..., 1:, :].add_(actions[..., :-1, :], alpha=self.share)
        mean[..., 0, :].add_(previous, alpha=self.share)
        return mean


NO_DELAY = Delay()


class DelayMeter:
    """Median of the latest delays of commands; a single late command does not change it."""

    def __init__(self, window: int = 20) -> None:
        self._seen: deque[float] = deque(maxlen=window)

    def add(self, seconds: float) -> None:
        """Record that a command acted `seconds` after the state it answers; nan: none acted."""
        if math.isfinite(seconds):
            self._seen.append(seconds)

    @property
    def seconds(self) -> float:
        """Return the median delay [s]; 0 before the first one."""
        return median(self._seen) if self._seen else 0.0
