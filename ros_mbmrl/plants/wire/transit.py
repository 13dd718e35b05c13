"""Transit: how late a message is, although the clocks of robot and host differ."""

from __future__ import annotations

MEMORY = 5.0  # [s], half of how long the fastest message is remembered
LEAP = 0.25  # [s] by which a message may be faster than all before it
DISORDER = 0.05  # [s] by which a stamp may be older than the one before it


class Transit:
    """Meter of how much later a message came than the fastest one of the last seconds.

    The clocks of robot and host differ by an unknown offset: arrival alone cannot distinguish a
    fresh message from one that waited in a queue. A stamp that jumps, forwards or back, is not used
    until the next one follows it: then the robot's clock was set, and the offset is corrected.
    `leapt`: whether the newest stamp has jumped. `leaps`: how often the robot's clock was set.
    """

    def __init__(self) -> None:
        self._halves: list[float] = []
        self._began = 0.0
        self._last = self._newest = (0.0, 0.0)  # stamp, arrival
        self.leapt = False
        self.leaps = 0

    def late(self, stamp: float, arrival: float) -> float:
        """Return the lateness [s] of a message with the robot's `stamp`, at our `arrival` time."""
        offset = arrival - stamp
        if not self._halves:
            self._halves, self._began = [offset, offset], arrival
        elif offset < min(self._halves) - LEAP or stamp < self._last[0] - DISORDER:
            before, self._newest = self._newest, (stamp, arrival)
            self.leapt = not 0 < stamp - before[0] <= arrival - before[1] + LEAP
            if self.leapt:
                return offset - min(self._halves)
            change = offset - (self._last[1] - self._last[0])
            self._halves = [half + change for half in self._halves]
            self.leaps += 1
        if arrival - self._began > MEMORY:
            self._halves, self._began = [self._halves[1], offset], arrival
        self._last = self._newest = (stamp, arrival)
        self.leapt = False
        self._halves[1] = min(self._halves[1], offset)
        return offset - min(self._halves)
