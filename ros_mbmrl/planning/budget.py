"""What time there is for a plan, and what imagining has cost lately."""

from __future__ import annotations

import math

from ros_mbmrl.planning.base import Deadline


class Budget:
    """The time of one plan.

    ends: whether there is a deadline. left: seconds, as of the last look; inf without one. first:
    what the first block took [s], all that came before it included.
    """

    def __init__(self, deadline: Deadline | None) -> None:
        self._deadline = deadline
        self.ends, self.first = deadline is not None, 0.0
        self.left = deadline() if deadline else math.inf
        self._slowest = 0.0

    def look(self) -> None:
        """Look at the clock at the end of a block."""
        if self._deadline is None:
            return
        before, self.left = self.left, self._deadline()
        self.first = self.first or before - self.left
        self._slowest = max(self._slowest, before - self.left)

    @property
    def lasts(self) -> bool:
        """Whether there is time for another block as slow as the slowest of this plan."""
        return self.left >= self._slowest and self.left > 0


class Pace:
    """What a block has cost lately, from plan to plan, a step of the horizon. Starts unknown."""

    def __init__(self) -> None:
        self._step = 0.0
        self._without = 0

    def horizon(self, left: float, wanted: int) -> int:
        """How far ahead the first block can look in `left` seconds: `wanted`, halved till it fits.

        0: there is no time for any.
        """
        horizon = wanted if left > 0 else 0
        while horizon and self._step * horizon > left:
            horizon //= 2
        return horizon

    def took(self, seconds: float, horizon: int) -> None:
        """The first block of a plan took so long."""
        self._step, self._without = seconds / horizon, 0

    def skipped(self) -> int:
        """No block was begun; how often in a row that was so.

        What was measured counts half each time: nothing new is, and what was slow may be over.
        """
        self._step /= 2
        self._without += 1
        return self._without
