"""Measurements as messages, with a factory of blank messages from the middleware or without it.

A quantity that is not measured is never reported as zero. Single numbers are NaN, as BatteryState
requires; arrays of a JointState without measured values are empty; for poses, twists and the parts
of an Imu a variance of -1 means that the axis is not measured, as REP 145 defines for Imu. All
other variances are 0, which means "unknown" in the same convention.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from ros_mbmrl.robots.channels import Channel, channel
from ros_mbmrl.robots.measurement import Measurement
from ros_mbmrl.robots.spec import RobotSpec
from ros_mbmrl.topics import topic

NANO = 1_000_000_000
AGE = "sensor_time"  # header.stamp: the step; time_ref: when its oldest part was measured
BATTERY = (
    *("voltage", "temperature", "current", "charge", "capacity", "design_capacity", "percentage"),
)
# Arrays of variances, with the fields that they describe, in order.
COVARIANCES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "odom.pose.covariance": ("odom.pose.pose.position", "odom.pose.pose.orientation"),
        "odom.twist.covariance": ("odom.twist.twist.linear", "odom.twist.twist.angular"),
        "imu.orientation_covariance": ("imu.orientation",),
        "imu.angular_velocity_covariance": ("imu.angular_velocity",),
        "imu.linear_acceleration_covariance": ("imu.linear_acceleration",),
    }
)
FRAMES: Mapping[str, str] = MappingProxyType(
    {"odom": "map", "imu": "base_link", "tool_points": "torso_lift_link"}
)


class MeasurementMessages:
    """Measurements of one robot as messages by topic. blank(type): an empty message."""

    def __init__(self, spec: RobotSpec, blank: Callable[[str], Any]) -> None:
        self._blank = blank
        self._channels = tuple(channel(where) for where in spec.channels)
        self._unmeasured = tuple(unmeasured_variances(spec))
        self._motors, self._joints = [limit.name for limit in spec.action], joint_names(spec)
        self._robot = spec.name
        self.topics: tuple[str, ...] = measurement_topics(spec)

    def encode(self, measurement: Measurement, previous: Measurement | None) -> dict[str, Any]:
        """Return messages by topic; joint velocities are finite differences, only for people."""
        stamp = nanoseconds(measurement.time)
        messages = {name: self._empty(name, stamp) for name in self.topics}
        for each, value in zip(self._channels, measurement.values, strict=True):
            each.put(messages[each.topic], float(value))
        if previous is not None and measurement.time > previous.time:
            rates = (measurement.values - previous.values) / (measurement.time - previous.time)
            for each, rate in zip(self._channels, rates, strict=True):
                velocity = Channel(each.topic, ("velocity", *each.way[1:]))
                if each.way[0] == "position" and velocity not in self._channels:
                    message = messages[each.topic]
                    if not len(message.velocity):
                        message.velocity = [math.nan] * len(message.name)
                    velocity.put(message, float(rate))
        put_stamp(messages[AGE].time_ref, max(0, stamp - nanoseconds(measurement.age)))
        return messages

    def _empty(self, name: str, stamp: int) -> Any:
        message = self._blank(topic(name).type)
        put_stamp(message.header.stamp, stamp)
        message.header.frame_id = FRAMES.get(name, "")
        if name == "odom":
            message.child_frame_id = "base_link"
        elif name in ("joint_states", "back_emf"):
            message.name = self._joints if name == "joint_states" else self._motors
            for field in {str(each.way[0]) for each in self._channels if each.topic == name}:
                setattr(message, field, [math.nan] * len(message.name))
        elif name == "tool_points":
            points = {each.way[1] for each in self._channels if each.topic == name}
            message.poses = [self._blank("geometry_msgs/msg/Pose") for _ in points]
        elif name == "battery":
            message.present = True
            for field in BATTERY:
                setattr(message, field, math.nan)
        elif name == AGE:
            message.source = self._robot
        for variance in self._unmeasured:
            if variance.topic == name:
                variance.put(message, -1.0)
        return message


def unmeasured_variances(spec: RobotSpec) -> Iterator[Channel]:
    """Yield the variances of the axes that a robot does not measure."""
    for where, parts in COVARIANCES.items():
        # An orientation is measured as a whole quaternion or not at all.
        axes = [("w" if part.endswith("orientation") else a, part) for part in parts for a in "xyz"]
        for k, (axis, part) in enumerate(axes):
            if f"{part}.{axis}" not in spec.channels:
                yield channel(f"{where}.{k * (len(axes) + 1)}")


def measurement_topics(spec: RobotSpec) -> tuple[str, ...]:
    """Return the topics of a robot's measurements, with the topic of their age."""
    return (*dict.fromkeys(channel(where).topic for where in spec.channels), AGE)


def joint_names(spec: RobotSpec) -> list[str]:
    """Return the names in `joint_states`: the commands', then those of measured passive joints."""
    names = [limit.name for limit in spec.action]
    measured = zip(map(channel, spec.channels), spec.measurement, strict=True)
    places = {each.way: q.name for each, q in measured if each.topic == "joint_states"}
    while ("position", len(names)) in places:
        names.append(places["position", len(names)])
    return names


def put_stamp(stamp: Any, nanoseconds: int) -> None:
    """Write nanoseconds, not negative, into a message's stamp."""
    stamp.sec, stamp.nanosec = divmod(nanoseconds, NANO)


def nanoseconds(seconds: float) -> int:
    """Return a time [s] as integer nanoseconds."""
    return round(seconds * NANO)
