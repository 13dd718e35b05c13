"""Inbox: the commands that answer the newest observation, with the moment each one came."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from ros_mbmrl.robots.spec import Array


@dataclass(frozen=True)
class Arrival:
    """offset: [s] after the observation that it answers."""

    offset: float
    action: Array


class Inbox:
    """Filled by the executor, emptied by the driver's loop, once a period.

    A command is for the interval after the observation that it answers: one that comes for
    another interval is turned away and counted.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._stamp: int | None = None
        self._opened = 0.0
        self._arrivals: list[Arrival] = []
        self.rejected = 0

    def open(self, stamp: int) -> None:
        """From now on, take commands that answer the observation stamped `stamp` [ns]."""
        with self._changed:
            self._stamp, self._opened, self._arrivals = stamp, self._clock(), []

    def deliver(self, stamp: int, action: Array) -> None:
        """A command has come."""
        with self._changed:
            if stamp != self._stamp:
                self.rejected += 1
                return
            self._arrivals.append(Arrival(self._clock() - self._opened, action))
            self._changed.notify_all()

    def override(self, action: Array) -> None:
        """A command that is not asked what it answers: it acts at once, where a period is open."""
        with self._changed:
            if self._stamp is not None:
                self._arrivals.append(Arrival(self._clock() - self._opened, action))
                self._changed.notify_all()

    def reject(self) -> None:
        """A command that could not be read has come."""
        with self._changed:
            self.rejected += 1

    def wait(self, timeout: float, beyond: int = 0) -> bool:
        """Wait until more than `beyond` commands have come; whether they have."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self._arrivals) > beyond, timeout)

    def newest(self) -> tuple[int, Arrival]:
        """How many commands have come, and the newest; there must be one."""
        with self._changed:
            return len(self._arrivals), self._arrivals[-1]

    def close(self) -> list[Arrival]:
        """Return what came since `open`, in order; anything later is too late."""
        with self._changed:
            self._stamp = None
            return self._arrivals
