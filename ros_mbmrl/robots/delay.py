"""Commands act late: which of those sent act in an interval, and how late they are.

A command that answers the state of step t acts from `delay` after it on. With
delay = (steps + share) * period, the mean command of the interval from step t to t + 1 is

    u_t = (1 - share) * a_{t - steps} + share * a_{t - steps - 1}.

So a plan starts from the state `steps` periods ahead, where the commands already sent lead, and
its first interval still holds a share of the last of them.
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

LONGEST = 5  # periods; who answers later than that cannot be controlled by prediction


@dataclass(frozen=True)
class Delay:
    """A delay in periods: whole ones, and the share of one that is left, 0 to below 1."""

    steps: int = 0
    share: float = 0.0

    @classmethod
    def of(cls, seconds: float, period: float) -> Delay:
        """The delay of `seconds`, at most `LONGEST` periods; none if it is not a number above 0."""
        if not seconds > 0:
            return cls()
        periods = min(seconds / period, float(LONGEST))
        # A delay of one period less a rounding error is one period.
        steps = math.floor(periods + 1e-6)
        return cls(steps, max(0.0, periods - steps))

    def __bool__(self) -> bool:
        return self.steps > 0 or self.share > 0

    def acting(self, sent: Sequence[Command]) -> Command:
        """The mean command (da,) of the interval that the newest of `sent` answers the start of.

        sent: each (da,), oldest first, at least one. Where they do not reach back far enough, the
        oldest stands for those before it.
        """
        newest, older = (sent[max(0, len(sent) - 1 - k)] for k in (self.steps, self.steps + 1))
        return newest if self.share == 0 else (1 - self.share) * newest + self.share * older

    def committed(self, sent: Sequence[Command]) -> list[Command]:
        """Mean commands of the `steps` intervals from now on that no plan can change any more.

        sent: oldest first, the newest being the answer to the state before this one.
        """
        # The last one stands for the answer to come, of which none of these holds anything.
        held = list(sent)
        held.append(sent[-1])
        return [Delay(self.steps - j, self.share).acting(held) for j in range(self.steps)]

    def blend(self, actions: Tensor, previous: Tensor) -> Tensor:
        """Mean commands (..., H, da) of plans' intervals; previous (..., da): the last one sent."""
        if self.share == 0:
            return actions
        mean = (1 - self.share) * actions
        mean[..., 1:, :].add_(actions[..., :-1, :], alpha=self.share)
        mean[..., 0, :].add_(previous, alpha=self.share)
        return mean


NO_DELAY = Delay()


class DelayMeter:
    """The delay that commands have had lately: a median, which no single late one moves."""

    def __init__(self, window: int = 20) -> None:
        self._seen: deque[float] = deque(maxlen=window)

    def add(self, seconds: float) -> None:
        """A command acted `seconds` after the state that it answers; nan: none did."""
        if math.isfinite(seconds):
            self._seen.append(seconds)

    @property
    def seconds(self) -> float:
        """[s]; 0 before anything is known."""
        return median(self._seen) if self._seen else 0.0
