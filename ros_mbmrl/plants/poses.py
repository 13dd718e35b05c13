"""Poses of motion capture, from whatever brings them: a topic, an emulator, a test."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

APART = 0.25  # [s] that a stamp and the arrival of its pose may be apart
REORDERED = 0.05  # [s] by which a network may bring an older pose late
TOLD = 1.0  # [s] for which a fault stands: whoever looks must see it
UNIT = 0.1  # by which the length of a quaternion may differ from 1


@dataclass(frozen=True)
class StampedPose:
    """time: when it was true [s], on the plant's clock. position: (3,) [m]. quaternion: wxyz."""

    time: float
    position: NDArray[np.float64]
    quaternion: NDArray[np.float64]

    def defect(self) -> str:
        """Return why this is no pose; empty if it is one."""
        if not (math.isfinite(self.time) and np.isfinite(self.position).all()):
            return f"no finite time and position: {self.time}, {self.position.tolist()}"
        length = float(np.linalg.norm(self.quaternion))
        if not abs(length - 1) <= UNIT:
            return f"no unit quaternion: {self.quaternion.tolist()}"
        return ""


class PoseSource(Protocol):
    """A source of poses for a plant. passed_over: poses that were not believed, total."""

    passed_over: int

    def latest(self) -> StampedPose | None:
        """Return the newest pose, None if there never was one."""

    def fault(self) -> str:
        """Return why poses are not to be driven by now; empty if they are."""

    def refused(self) -> str:
        """Return why the pose that came last was passed over; empty if it was not."""


@dataclass(frozen=True)
class _Arrival:
    """A pose as it was stamped, and when it came [s]."""

    pose: StampedPose
    came: float

    @property
    def stamp(self) -> float:
        return self.pose.time

    def follows(self, other: _Arrival) -> bool:
        """Return whether the stamps went on from `other` as the clock did, or caught up a delay."""
        return 0 < self.stamp - other.stamp <= self.came - other.came + APART

    def late(self, other: _Arrival) -> bool:
        """Return whether it was overtaken by `other`, or is the same."""
        return -REORDERED < self.stamp - other.stamp <= 0


class PoseMailbox:
    """A PoseSource that another thread fills; an older pose never replaces a newer one.

    A pose whose stamp leaps, ahead or back, is passed over until the next one follows it: then a
    clock was set, here or where the poses are stamped. That is a fault for TOLD seconds. Where
    poses were on time before and went on coming, later stamps are corrected by the leap.

    clock: [s], steady, the plant's. set_by(): by how much this machine's time of day was set
    since the start [s].
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        set_by: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self._lock = threading.Lock()
        self._clock, self._set_by = clock, set_by
        self._newest: _Arrival | None = None
        self._leapt: _Arrival | None = None  # the last one that came, if its stamp leapt
        self._correction = 0.0  # [s] that stamps are ahead of the clock
        self._set = 0.0  # `set_by` at the last leap
        self._fault, self._fault_until = "", -math.inf
        self._refused = ""
        self.passed_over = 0

    def put(self, pose: StampedPose) -> None:
        """Take in a pose that has come."""
        with self._lock:
            arrival, newest, leapt = _Arrival(pose, self._clock()), self._newest, self._leapt
            if defect := pose.defect():
                self._pass_over(defect)
            elif newest is None or arrival.follows(newest):
                self._believe(arrival)
            elif arrival.late(newest):
                self._leapt = None  # the old stamps go on
                self._pass_over("its stamp is no newer than that of the last one")
            elif leapt is not None and arrival.follows(leapt):
                self._take_leap(arrival, newest)
                self._believe(arrival)
            else:
                self._leapt = arrival
                self._pass_over(f"its stamp leapt by {_leap(arrival, newest):+.2f} s")

    def distrust(self, why: str) -> None:
        """Have `fault` say for a while why poses are not to be driven by."""
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
        """Two poses in a row have leapt alike: a clock was set."""
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
    """By how much more the stamps than the clock went on [s]."""
    return (arrival.stamp - other.stamp) - (arrival.came - other.came)
