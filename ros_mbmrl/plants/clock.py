"""SteadyTime: time of day that cannot be set."""

from __future__ import annotations

import time


class SteadyTime:
    """This machine's time of day at the start, continued by its steady clock [s].

    NTP or a person may set the time of day while a robot drives; ages must not change then.
    """

    def __init__(self) -> None:
        self._offset = _offset()

    def __call__(self) -> float:
        """Return the time [s]."""
        return time.monotonic() + self._offset

    def set_by(self) -> float:
        """Return by how much this machine's time of day was set since the start [s]."""
        return _offset() - self._offset


def _offset() -> float:
    return time.time() - time.monotonic()
