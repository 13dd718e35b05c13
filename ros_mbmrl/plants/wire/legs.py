"""Processing of encoder counts over time: unwrapped angles, and blocked legs."""

from __future__ import annotations

import math

import numpy as np

from ros_mbmrl.plants.wire.units import ENCODER, REVOLUTION, WORD
from ros_mbmrl.robots.spec import Array

FASTEST = 20 * REVOLUTION  # [counts/s], twice what the legs reach


class Unwrapper:
    """Angles (2,) that continue beyond the encoder's 32 bits, and after a restart of the robot.

    A jump larger than a leg can make is a restart or an implausible packet: then only the angle
    within the revolution is used.
    """

    def __init__(self) -> None:
        self._counts: tuple[int, int] | None = None
        self._total = [0, 0]
        self._time = 0.0
        self.jumps = 0

    def update(self, counts: tuple[int, int], now: float) -> Array:
        """Return the angles [rad] for the encoders at the time `now` [s]."""
        if self._counts is None:
            self._total = list(counts)
        else:
            reach = REVOLUTION + FASTEST * (now - self._time)
            for side, (new, old) in enumerate(zip(counts, self._counts, strict=True)):
                step = _within(new - old, WORD)
                if abs(step) > reach:
                    self.jumps += 1
                    step = _within(new - self._total[side], REVOLUTION)
                self._total[side] += step
        self._counts, self._time = counts, now
        return ENCODER * np.array(self._total, dtype=np.float64)


class StallWatch:
    """Detector of a leg that stands still although it should turn.

    Args:
        speed: set-points above it count [rad/s].
        patience: how long a leg may stand still [s].
        still: a smaller motion counts as standing still, because sensors are noisy [rad].
    """

    def __init__(self, speed: float, patience: float, still: float = 0.1) -> None:
        self._speed, self._patience, self._still = speed, patience, still
        self.reset()

    def reset(self) -> None:
        """Forget the past, after a stop or a gap."""
        self._angles = np.zeros(2)
        self._since = [math.nan, math.nan]
        self._longest = 0.0

    def update(self, now: float, angles: Array, setpoints: Array) -> None:
        """Take in the legs' `angles` (2,) [rad] and their `setpoints` (2,) [rad/s] at `now` [s]."""
        self._longest = 0.0
        for side in (0, 1):
            told = abs(setpoints[side]) > self._speed
            moved = abs(angles[side] - self._angles[side]) > self._still
            if not told or moved or math.isnan(self._since[side]):
                self._angles[side] = angles[side]
                self._since[side] = now if told else math.nan
            else:
                self._longest = max(self._longest, now - self._since[side])

    @property
    def stalled(self) -> bool:
        """Return whether a leg stands still for longer than the patience."""
        return self._longest >= self._patience

    @property
    def suspected(self) -> bool:
        """Return whether a leg stands still for long enough to look again at once."""
        return self._longest >= 0.6 * self._patience


def _within(difference: int, modulus: int) -> int:
    """Return the difference modulo `modulus`, nearest to 0."""
    return (difference + modulus // 2) % modulus - modulus // 2
