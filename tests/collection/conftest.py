"""A clock that only waiting moves, a walker without physics, and an operator with a script."""

from __future__ import annotations

import math
import os
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ros_mbmrl.collection.requests import Request
from ros_mbmrl.plants.base import PlantFault
from ros_mbmrl.robots.measurement import Measurement

NO_LEGS = (0.0, 0.0)


class Clock:
    """Seconds, as told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Walker:
    """The legs' mean drives it, their difference turns it. Its faults are by step."""

    def __init__(self, clock: Clock, simulated: bool = True) -> None:
        self.simulated, self._clock = simulated, clock
        self.pose = np.zeros(3)
        self.action = np.zeros(2)
        self.sent: list[tuple[float, ...]] = []
        self.stops = 0
        self.faults: dict[int, str] = {}
        self.observed = 0
        self._legs = np.zeros(2)
        self._time = 0.0

    def __enter__(self) -> Walker:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def observe(self) -> Measurement:
        self.observed += 1
        if self.observed in self.faults:
            raise PlantFault(self.faults[self.observed])
        if not self.simulated:
            self._move(self._clock() - 100.0 - self._time)
        x, y, yaw = self.pose
        attitude = (math.cos(yaw / 2), 0.0, 0.0, math.sin(yaw / 2))
        hum = 1e-3 * math.sin(self.observed)  # a sensor never says the same twice
        gyro, force, back_emf = (hum, 0, 0), (0, 0, 9.81), (0.5 + hum, 0.6)
        values = [x, y, 0.02, *attitude, *gyro, *force, *self._legs, *back_emf, 3.9]
        return Measurement(round(self._time, 9), np.array(values, dtype=float), 0.004)

    def command(self, action: np.ndarray) -> None:
        self.action = np.array(action)
        self.sent.append(tuple(action))

    def advance(self, duration: float) -> None:
        if self.simulated:
            self._move(duration)

    def _move(self, duration: float) -> None:
        left, right = self.action
        self.pose[2] += (right - left) * 0.02 * duration
        heading = np.array([math.cos(self.pose[2]), math.sin(self.pose[2])])
        self.pose[:2] += 0.005 * (left + right) * heading * duration
        self._legs += self.action * duration
        self._time += duration

    def stop(self) -> None:
        self.action = np.zeros(2)
        self.stops += 1

    def counters(self) -> Mapping[str, int | float]:
        return {}


class Script:
    """Requests by the step before which they come; waiting moves the clock."""

    doubt = ""

    def __init__(self, clock: Clock, asked: Mapping[int, Sequence[Request]]) -> None:
        self._clock, self._asked = clock, dict(asked)
        self.step = 0
        self.waits: dict[int, Sequence[Request]] = {}  # come while the step's time passes
        self._now: list[Request] = []

    def wait(self, timeout: float) -> bool:
        if self.step in self.waits:
            self._clock.now += timeout / 2
            self._now = list(self.waits.pop(self.step))
            return True
        self._clock.now += timeout
        return False

    def requests(self) -> list[Request]:
        if self._now:
            now, self._now = self._now, []
            return now
        self.step += 1
        return list(self._asked.pop(self.step, ()))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def walker(clock: Clock) -> Callable[..., Walker]:
    """Makes a walker."""
    return lambda **given: Walker(clock, **given)


@pytest.fixture
def script(clock: Clock) -> Callable[..., Any]:
    """Makes an operator."""
    return lambda asked=(): Script(clock, dict(asked))


@pytest.fixture
def device(tmp_path: Path) -> Iterator[tuple[Path, Any]]:
    """A pipe that says what the kernel would."""
    path = tmp_path / "js0"
    os.mkfifo(path)
    writer = os.open(path, os.O_RDWR)

    def say(*events: tuple[int, int, int]) -> None:
        for value, kind, number in events:
            os.write(writer, struct.pack("<IhBB", 1234, value, kind, number))

    yield path, say
    os.close(writer)
