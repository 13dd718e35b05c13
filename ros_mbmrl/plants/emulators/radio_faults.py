"""Faults between host, robot and motion capture, switched on and off at run time."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from ros_mbmrl.errors import choose
from ros_mbmrl.plants.wire import xbee
from ros_mbmrl.robots.spec import Array

LINE_FAULTS: Mapping[str, str] = MappingProxyType(
    {
        "silent": "the robot neither hears nor answers; its legs go on turning",
        "garbage": "what it answers arrives as random bytes",
        "half": "only the first half of every answer arrives",
        "bit_errors": "single bits change, both ways",
        "stalled": "the legs are blocked",
        "unplugged": "the serial port is gone",
        "wrong_address": "another robot answers",
        "wrong_version": "another firmware answers",
        "zero_quaternion": "poses of motion capture come without an attitude",
        "pose_ahead": "poses of motion capture are stamped 1000 s ahead",
    }
)
AHEAD = 1000.0  # [s] of pose_ahead
# First words of the lines by which an emulated robot reports, each with times on the steady clock.
DRIVEN, PAUSED = "driven", "paused"


class LineFaults:
    """Line faults applied to bytes on their way. bit_error_rate: per bit."""

    def __init__(self, rng: np.random.Generator, bit_error_rate: float) -> None:
        self._rng, self._rate = rng, bit_error_rate
        self._on: frozenset[str] = frozenset()

    def set(self, *names: str) -> None:
        """Switch on exactly these faults. Raises UserError for an unknown name."""
        for name in names:
            choose("line fault", name, LINE_FAULTS)
        self._on = frozenset(names)

    def __contains__(self, name: str) -> bool:
        return name in self._on

    def to_robot(self, data: bytes) -> bytes:
        """Return the host's bytes as they reach the robot."""
        return b"" if "silent" in self else self._flip(data)

    def to_host(self, answer: xbee.Received) -> bytes:
        """Return an answer's bytes as they reach the host."""
        if "wrong_address" in self:
            answer = xbee.Received(answer.source ^ 6, answer.data, answer.rssi)
        data = answer.encode()
        if "silent" in self:
            return b""
        if "garbage" in self:
            return self._rng.bytes(len(data))
        return self._flip(data[: len(data) // 2] if "half" in self else data)

    def to_mocap(self, time: float, pose: Array) -> tuple[float, Array, Array]:
        """Return time [s], position (3,), quaternion (4,) as reported for a pose (7,) at `time`."""
        attitude = np.zeros(4) if "zero_quaternion" in self else pose[3:]
        return time + (AHEAD if "pose_ahead" in self else 0.0), pose[:3], attitude

    def _flip(self, data: bytes) -> bytes:
        if "bit_errors" not in self:
            return data
        bits = np.unpackbits(np.frombuffer(data, np.uint8))
        return np.packbits(bits ^ (self._rng.random(bits.size) < self._rate)).tobytes()
