"""Pacing on absolute deadlines, so that computing time does not make the loop drift."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Pacer:
    """Pacer that ends each period at its deadline on the steady clock.

    A period that ended late is counted as an overrun, and the next period is a whole one from then
    on: lost time is never caught up in a burst.
    """

    def __init__(self, period: float, clock: Callable[[], float], slack: float = 0.02) -> None:
        if not period > 0:
            raise ValueError(f"period: expected above 0 s, got {period}")
        self._period, self._clock, self._slack = period, clock, slack * period
        self._deadline = clock() + period
        self.overruns = 0

    @property
    def remaining(self) -> float:
        """Return the seconds until the current period ends; 0 if it has ended."""
        return max(0.0, self._deadline - self._clock())

    def start(self) -> None:
        """Begin a period now."""
        self._deadline = self._clock() + self._period

    def wait(self, interrupt: threading.Event) -> bool:
        """Wait for the end of the period; the next begins there. Return False if interrupted."""
        if interrupt.wait(self.remaining):
            return False
        self.next()
        return True

    def next(self) -> None:
        """Begin the next period where this one ended, or now if that was too long ago."""
        now = self._clock()
        if now - self._deadline > self._slack:
            self.overruns += 1
            self._deadline = now
        self._deadline += self._period
