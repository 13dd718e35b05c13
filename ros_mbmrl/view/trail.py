"""Trail: the way that a robot has come, in a bounded number of points."""

from __future__ import annotations

import numpy as np

from ros_mbmrl.robots.spec import Array


class Trail:
    """Points in the order they came; when there are too many, every other one is dropped.

    Args:
        limit: largest number of points.
    """

    def __init__(self, limit: int = 1000) -> None:
        self._limit, self._points = limit, list[Array]()
        self._every, self._skipped = 1, 0
        self._last: Array | None = None

    def add(self, point: Array) -> None:
        """Add a point (3,) [m]."""
        self._last = point
        self._skipped += 1
        if self._skipped < self._every:
            return
        self._skipped = 0
        self._points.append(point)
        if len(self._points) > self._limit:
            self._points, self._every = self._points[::2], 2 * self._every

    def clear(self) -> None:
        """Begin anew."""
        self._points, self._every, self._skipped, self._last = [], 1, 0, None

    @property
    def points(self) -> Array:
        """Return the points (n, 3) [m], ending where the robot is."""
        last = [] if self._last is None else [self._last]
        return np.array([*self._points, *last]).reshape(-1, 3)
