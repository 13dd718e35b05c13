"""Time for a plan, and how long imagining has taken lately."""

from __future__ import annotations

import math

from ros_mbmrl.planning.base import Deadline


class Budget:
    """The time of one plan.

    `ends`: whether there is a deadline. `left`: seconds at the last look; inf without a deadline.
    `first`: duration of the first block [s], with everything before it.
    """

    def __init__(self, deadline: Deadline | None) -> None:
        self._deadline = deadline
        self.ends, self.first = deadline is not None, 0.0
        self.left = deadline() if deadline else math.inf
        self._slowest = 0.0

    def look(self) -> None:
        """Read the clock at the end of a block."""
        if self._deadline is None:
            return
        before, self.left = self.left, self._deadline()
        self.first = self.first or before - self.left
        self._slowest = max(self._slowest, before - self.left)

    @property
    def lasts(self) -> bool:
        """Return whether there is time for another block as slow as the slowest of this plan."""
        return self.left >= self._slowest and self.left > 0


class Pace:
    """Duration of the latest first block per step of the horizon, kept from plan to plan."""

    def __init__(self) -> None:
        self._step = 0.0
        self._without = 0

    def horizon(self, left: float, wanted: int) -> int:
        """Return the horizon of the first block for `left` seconds: `wanted`, halved until it fits.

        0: there is no time for any step.
        """
        horizon = wanted if left > 0 else 0
        while horizon and self._step * horizon > left:
            horizon //= 2
        return horizon

    def took(self, seconds: float, horizon: int) -> None:
        """Record the duration of a plan's first block."""
        self._step, self._without = seconds / horizon, 0

    def skipped(self) -> int:
        """Record that no block was begun; return how often in a row.

        Each time the recorded duration is halved: there is no new one, and the slow phase may be
        over.
        """
        self._step /= 2
        self._without += 1
        return self._without
