"""SteadyTime: a time of day that nobody can set."""

from __future__ import annotations

import time


class SteadyTime:
    """This machine's time of day at the start, carried on by its steady clock [s].

    Ages must hang on it: the time of day itself is set while a robot drives, by NTP or by hand.
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
