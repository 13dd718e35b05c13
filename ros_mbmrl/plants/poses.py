"""Poses of motion capture, from whatever brings them: a topic, an emulator, a test."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class StampedPose:
    """time: when it was true [s], on the plant's clock. position: (3,) [m]. quaternion: wxyz."""

    time: float
    position: NDArray[np.float64]
    quaternion: NDArray[np.float64]


class PoseSource(Protocol):
    """Where a plant gets its pose from."""

    def latest(self) -> StampedPose | None:
        """The newest pose, None if there never was one."""


class PoseMailbox:
    """A PoseSource that another thread fills; an older pose never replaces a newer one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pose: StampedPose | None = None

    def put(self, pose: StampedPose) -> None:
        """A pose has come."""
        with self._lock:
            if self._pose is None or pose.time > self._pose.time:
                self._pose = pose

    def latest(self) -> StampedPose | None:
        """See `PoseSource`."""
        with self._lock:
            return self._pose
