"""Poses of motion capture, from any source: a topic, an emulator, a test."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

APART = 0.25  # largest difference between a stamp and the arrival of its pose [s]
REORDERED = 0.05  # how much older a late pose may be when the network changes the order [s]
TOLD = 1.0  # how long a fault is reported, so that every reader sees it [s]
UNIT = 0.1  # largest deviation of a quaternion's length from 1


@dataclass(frozen=True)
class StampedPose:
    """A pose with its time.

    Args:
        time: when it was true, on the plant's clock [s].
        position: (3,) [m].
        quaternion: (4,) wxyz.
    """

    time: float
    position: NDArray[np.float64]
    quaternion: NDArray[np.float64]

    def defect(self) -> str:
        """Return why this pose is invalid; empty if it is valid."""
        if not (math.isfinite(self.time) and np.isfinite(self.position).all()):
            return f"no finite time and position: {self.time}, {self.position.tolist()}"
        length = float(np.linalg.norm(self.quaternion))
        if not abs(length - 1) <= UNIT:
            return f"no unit quaternion: {self.quaternion.tolist()}"
        return ""


class PoseSource(Protocol):
    """A source of poses for a plant. passed_over: total of poses that were refused."""

    passed_over: int

    def latest(self) -> StampedPose | None:
        """Return the newest pose, None if there never was one."""

    def fault(self) -> str:
        """Return why poses must not be used for driving now; empty if they may."""

    def refused(self) -> str:
        """Return why the latest pose was refused; empty if it was not."""


@dataclass(frozen=True)
class _Arrival:
    """A pose as it was stamped, and its time of arrival [s]."""

    pose: StampedPose
    came: float

    @property
    def stamp(self) -> float:
        return self.pose.time

    def follows(self, other: _Arrival) -> bool:
        """Return whether the stamps advanced from `other` as the clock, or caught up a delay."""
        return 0 < self.stamp - other.stamp <= self.came - other.came + APART

    def late(self, other: _Arrival) -> bool:
        """Return whether `other` overtook this pose, or both are the same."""
        return -REORDERED < self.stamp - other.stamp <= 0


class PoseMailbox:
    """A PoseSource that another thread fills; an older pose never replaces a newer one.

    A pose whose stamp jumps, forwards or back, is refused until the next one follows it: then a
    clock was set, here or at motion capture. That is a fault for TOLD seconds. If poses were on
    time before and kept coming, later stamps are corrected by the jump.

    Args:
        clock: the plant's steady clock [s].
        set_by: returns by how much this machine's time of day was set since the start [s].
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        set_by: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self._lock = threading.Lock()
        self._clock, self._set_by = clock, set_by
        self._newest: _Arrival | None = None
        self._leapt: _Arrival | None = None  # the latest pose, if its stamp jumped
        self._correction = 0.0  # [s] by which stamps are ahead of the clock
        self._set = 0.0  # `set_by` at the last jump
        self._fault, self._fault_until = "", -math.inf
        self._refused = ""
        self.passed_over = 0

    def put(self, pose: StampedPose) -> None:
        """Take in a pose that has arrived."""
        with self._lock:
            arrival, newest, leapt = _Arrival(pose, self._clock()), self._newest, self._leapt
            if defect := pose.defect():
                self._pass_over(defect)
            elif newest is None or arrival.follows(newest):
                self._believe(arrival)
            elif arrival.late(newest):
                self._leapt = None  # the old stamps continue
                self._pass_over("its stamp is no newer than that of the last one")
            elif leapt is not None and arrival.follows(leapt):
                self._take_leap(arrival, newest)
                self._believe(arrival)
            else:
                self._leapt = arrival
                self._pass_over(f"its stamp leapt by {_leap(arrival, newest):+.2f} s")

    def distrust(self, why: str) -> None:
        """Make `fault` report `why` for a while."""
        with self._lock:
            self._tell(why)

    def latest(self) -> StampedPose | None:
        """See `PoseSource`."""
        with self._lock:
            if self._newest is None:
                return None
            return replace(self._newest.pose, time=self._newest.stamp - self._correction)

    def fault(self) -> str:
        """See `PoseSource`."""
        with self._lock:
            return self._fault if self._clock() < self._fault_until else ""

    def refused(self) -> str:
        """See `PoseSource`."""
        with self._lock:
            return self._refused

    def _believe(self, arrival: _Arrival) -> None:
        self._newest, self._leapt, self._refused = arrival, None, ""

    def _pass_over(self, why: str) -> None:
        self.passed_over += 1
        self._refused = why

    def _take_leap(self, arrival: _Arrival, newest: _Arrival) -> None:
        """Accept a jump that two poses in a row show: a clock was set."""
        leap = _leap(arrival, newest)
        machine, self._set = self._set_by() - self._set, self._set_by()
        on_time = abs(newest.came - newest.stamp + self._correction) <= APART
        if not (on_time and arrival.came - newest.came <= APART):
            self._correction = 0.0
        elif abs(leap) > APART:
            correction = self._correction + leap
            self._correction = correction if abs(correction) > REORDERED else 0.0  # right again
            ours = abs(machine - leap) <= APART
            why = f"this machine's clock was set by {machine:+.2f} s"
            other = "was the clock of motion capture set, or does another publish poses?"
            self._tell(f"the stamps of poses leapt by {leap:+.2f} s: {why if ours else other}")

    def _tell(self, why: str) -> None:
        self._fault, self._fault_until = why, self._clock() + TOLD


def _leap(arrival: _Arrival, other: _Arrival) -> float:
    """Return by how much more the stamps advanced than the clock [s]."""
    return (arrival.stamp - other.stamp) - (arrival.came - other.came)
