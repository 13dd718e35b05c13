"""Frozen: a sensor that says the same again and again, message by message, though it is driven.

The safety monitor sees a state once a period, and needs two that are the same after the first one.
A topic of 50 Hz shows it sooner. See `Envelope.live_sensors`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ros_mbmrl.plants.topics.wiring import Wiring
from ros_mbmrl.robots.described.quantities import TRANSFORMS
from ros_mbmrl.robots.spec import Array, RobotSpec
from ros_mbmrl.safety.monitor import DRIVEN

REPEATS = 2  # messages that say the same as the one before them
PERIODS = 1.5  # for which they do
_YAW = ("qw", "qx", "qy", "qz", "yaw")


@dataclass
class _Sensor:
    """One of them: its topic, what it measures, which commands move it, and what it said last."""

    topic: str
    names: tuple[str, ...]
    moved_by: tuple[int, ...]
    values: tuple[float, ...] = ()
    since: float = math.inf
    repeats: int = 0
    stuck: bool = False
    driven_since: float = field(default=math.inf)


class Frozen:
    """Watch over the sensors of a robot that come by one topic each.

    Args:
        spec: of the robot.
        wiring: where its numbers are.
    """

    def __init__(self, spec: RobotSpec, wiring: Wiring) -> None:
        self._wiring, self._longest = wiring, PERIODS * spec.period
        self._least = DRIVEN * (spec.action_high - spec.action_low)
        self._rest = spec.rest
        measured = [quantity.name for quantity in spec.measurement]
        commands = [limit.name for limit in spec.action]
        self._sensors = []
        for sensor in spec.envelope.live_sensors:
            turning = {"cos_yaw", "sin_yaw"} & set(sensor.states)
            wanted = {*sensor.states, *(_YAW if turning else ())}
            names = tuple(name for name in measured if name in wanted)
            topics = {wiring.sources[name].topic for name in names}
            moved_by = [k for k, n in enumerate(commands) if n in (sensor.driven_by or commands)]
            if len(topics) == 1 and wiring.heard[min(topics)].type != TRANSFORMS:
                self._sensors.append(_Sensor(min(topics), names, tuple(moved_by)))

    def put(self, topic: str, message: Any, now: float) -> None:
        """Take a message that came at `now` [s]; one that cannot be read says nothing."""
        for sensor in self._sensors:
            if sensor.topic != topic:
                continue
            try:
                values = tuple(self._wiring.sources[n].read(message) for n in sensor.names)
            except LookupError:
                continue
            if values == sensor.values:
                sensor.repeats += 1
            else:
                sensor.values, sensor.since, sensor.repeats = values, now, 0
                sensor.stuck = False

    def driven(self, action: Array, now: float) -> None:
        """Take note of a command (da,) that is sent at `now` [s]."""
        moves = np.abs(action - self._rest) > self._least
        for sensor in self._sensors:
            if not any(moves[k] for k in sensor.moved_by):
                sensor.driven_since = math.inf
            elif math.isinf(sensor.driven_since):
                sensor.driven_since = now

    def fault(self, now: float) -> str:
        """Return which sensor is frozen at `now` [s], until it says something else; or nothing."""
        for sensor in self._sensors:
            same = now - max(sensor.since, sensor.driven_since)
            sensor.stuck |= sensor.repeats >= REPEATS and same > self._longest
            if sensor.stuck:
                name = self._wiring.topics[sensor.topic].name
                return f"{name}: {' and '.join(sensor.names)} stay the same while driven"
        return ""
