"""Measurements as messages and back: the robot's specification says which number travels where."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from typing import Any

import numpy as np
from geometry_msgs.msg import Pose

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
from ros_mbmrl.robots.channels import Channel, channel
from ros_mbmrl.robots.spec import RobotSpec
from ros_mbmrl.topics import topic

AGE = "sensor_time"  # header.stamp: the step; time_ref: when its oldest part was measured


class SensorCodec:
    """Turns the measurements of one robot into messages, one a topic, and back."""

    def __init__(self, spec: RobotSpec) -> None:
        self._spec = spec
        self._channels = tuple(channel(where) for where in spec.channels)
        self._measured = {(each.topic, each.way) for each in self._channels}
        self._joints = [limit.name for limit in spec.action]
        self.topics: tuple[str, ...] = (*dict.fromkeys(c.topic for c in self._channels), AGE)

    def encode(self, measurement: Measurement, previous: Measurement | None) -> dict[str, Any]:
        """Messages by topic; joint velocities are finite differences, for people to look at."""
        stamp = nanoseconds(measurement.time)
        messages = {name: self._blank(name, stamp) for name in self.topics}
        for each, value in zip(self._channels, measurement.values, strict=True):
            each.put(messages[each.topic], float(value))
        if previous is not None and measurement.time > previous.time:
            rates = (measurement.values - previous.values) / (measurement.time - previous.time)
            for each, rate in zip(self._channels, rates, strict=True):
                velocity = Channel(each.topic, ("velocity", *each.way[1:]))
                unmeasured = (velocity.topic, velocity.way) not in self._measured
                if each.way[0] == "position" and unmeasured:
                    velocity.put(messages[each.topic], float(rate))
        measured = max(0, stamp - nanoseconds(measurement.age))
        messages[AGE].time_ref = to_stamp(measured)
        return messages

    def decode(self, messages: Mapping[str, Any]) -> Measurement:
        """The measurement that `encode` was given, bit for bit."""
        stamp = from_stamp(messages[AGE].header.stamp)
        values = [each.get(messages[each.topic]) for each in self._channels]
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
        elif name == "tool_points":
            message.header.frame_id = "torso_lift_link"
            points = {c.way[1] for c in self._channels if c.topic == name}
            message.poses = [Pose() for _ in points]
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
