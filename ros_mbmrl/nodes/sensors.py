"""Measurements as messages and back: one table a robot says which number travels where."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from ros_mbmrl.bringup import topic
from ros_mbmrl.errors import choose
from ros_mbmrl.nodes.messages import (
    MAP,
    NANO,
    from_stamp,
    header,
    nanoseconds,
    seconds,
    to_stamp,
)
from ros_mbmrl.nodes.qos import message_class
from ros_mbmrl.plants.base import Measurement
from ros_mbmrl.robots.spec import RobotSpec

AGE = "sensor_time"  # header.stamp: the step; time_ref: when its oldest part was measured


@dataclass(frozen=True)
class Field:
    """Where a number of the measurement travels: a topic, and the way into its message."""

    topic: str
    way: tuple[str | int, ...]


def _field(where: str) -> Field:
    name, *way = where.split(".")
    return Field(name, tuple(int(part) if part.isdigit() else part for part in way))


# Quaternions are wxyz here and in MuJoCo, xyzw in ROS: going by name is the one conversion.
_HEXAPOD = {
    **{axis: f"odom.pose.pose.position.{axis}" for axis in "xyz"},
    **{f"q{axis}": f"odom.pose.pose.orientation.{axis}" for axis in "wxyz"},
    **{f"gyro_{axis}": f"imu.angular_velocity.{axis}" for axis in "xyz"},
    **{f"accel_{axis}": f"imu.linear_acceleration.{axis}" for axis in "xyz"},
    "left_leg": "joint_states.position.0",
    "right_leg": "joint_states.position.1",
    "left_back_emf": "back_emf.effort.0",
    "right_back_emf": "back_emf.effort.1",
    "battery": "battery.voltage",
}
FIELDS: Mapping[str, Mapping[str, str]] = MappingProxyType({"hexapod": _HEXAPOD})


class SensorCodec:
    """Turns the measurements of one robot into messages, one a topic, and back."""

    def __init__(self, spec: RobotSpec) -> None:
        choose("robot with sensor messages", spec.name, FIELDS)
        table = FIELDS[spec.name]
        self._spec = spec
        self._fields = tuple(_field(table[quantity.name]) for quantity in spec.measurement)
        self._joints = [limit.name for limit in spec.action]
        self.topics: tuple[str, ...] = (*dict.fromkeys(f.topic for f in self._fields), AGE)

    def encode(self, measurement: Measurement, previous: Measurement | None) -> dict[str, Any]:
        """Messages by topic; joint velocities are finite differences, for people to look at."""
        stamp = nanoseconds(measurement.time)
        messages = {name: self._blank(name, stamp) for name in self.topics}
        for field, value in zip(self._fields, measurement.values, strict=True):
            _put(messages[field.topic], field.way, float(value))
        if previous is not None and measurement.time > previous.time:
            rates = (measurement.values - previous.values) / (measurement.time - previous.time)
            for field, rate in zip(self._fields, rates, strict=True):
                if field.way[0] == "position":
                    _put(messages[field.topic], ("velocity", *field.way[1:]), float(rate))
        measured = max(0, stamp - nanoseconds(measurement.age))
        messages[AGE].time_ref = to_stamp(measured)
        return messages

    def decode(self, messages: Mapping[str, Any]) -> Measurement:
        """The measurement that `encode` was given, bit for bit."""
        stamp = from_stamp(messages[AGE].header.stamp)
        values = [_get(messages[field.topic], field.way) for field in self._fields]
        age = seconds(stamp - from_stamp(messages[AGE].time_ref))
        return Measurement(seconds(stamp), np.array(values, dtype=np.float64), age)

    def _blank(self, name: str, stamp: int) -> Any:
        message = message_class(topic(name).type)()
        message.header = header(stamp)
        zeros = [0.0] * len(self._joints)
        if name == "odom":
            message.header.frame_id, message.child_frame_id = MAP, "base_link"
        elif name == "imu":
            message.header.frame_id = "base_link"
            message.orientation_covariance[0] = -1.0  # REP-145: no orientation given
        elif name == "joint_states":
            message.name = list(self._joints)
            message.position, message.velocity = array("d", zeros), array("d", zeros)
        elif name == "back_emf":
            message.name, message.effort = list(self._joints), array("d", zeros)
        elif name == "battery":
            message.present = True
        elif name == AGE:
            message.source = self._spec.name
        return message


class MeasurementAssembler:
    """Joins the state topics by equal stamp; a step of which a part never came is dropped.

    A step that is sent again (lockstep does) is given out again, an older one is not.
    """

    def __init__(self, spec: RobotSpec, pending: int = 4) -> None:
        self._codec = SensorCodec(spec)
        self._pending: dict[int, dict[str, Any]] = {}
        self._limit = pending
        self._newest = -1
        self.dropped = 0

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics that make up a measurement."""
        return self._codec.topics

    def add(self, name: str, message: Any) -> Measurement | None:
        """Take in one topic's message; the measurement, once it is complete."""
        stamp = from_stamp(message.header.stamp)
        if stamp < self._newest - NANO:  # the plant's clock began anew
            self._pending.clear()
            self._newest = -1
        if stamp < self._newest:
            return None
        parts = self._pending.setdefault(stamp, {})
        parts[name] = message
        if len(parts) == len(self.topics):
            self._forget(below=stamp)
            del self._pending[stamp]
            self._newest = stamp
            return self._codec.decode(parts)
        if len(self._pending) > self._limit:
            self._forget(below=min(self._pending) + 1)
        return None

    def _forget(self, below: int) -> None:
        for old in [stamp for stamp in self._pending if stamp < below]:
            del self._pending[old]
            self.dropped += old > self._newest


def _put(message: Any, way: tuple[str | int, ...], value: float) -> None:
    *inner, last = way
    for part in inner:
        message = message[part] if isinstance(part, int) else getattr(message, part)
    if isinstance(last, int):
        message[last] = value
    else:
        setattr(message, last, value)


def _get(message: Any, way: tuple[str | int, ...]) -> float:
    for part in way:
        message = message[part] if isinstance(part, int) else getattr(message, part)
    return float(message)
