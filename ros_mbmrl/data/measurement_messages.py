"""Measurements as messages, with a factory of blank messages from the middleware or without it.

A quantity that is not measured is never reported as zero. Single numbers are NaN, as BatteryState
requires; arrays of a JointState without measured values are empty; poses, twists and the parts of
an Imu say it by their variances, see `variances.py`.

`odom.twist` is in the body frame, as nav_msgs/Odometry defines it: the mean velocity since the
measurement before, in `base_link` at the stamp. It is for people and other packages: what a robot
measures travels on its channels, bit for bit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from ros_mbmrl.data.variances import derived_variance, variances
from ros_mbmrl.robots.channels import Channel, channel
from ros_mbmrl.robots.measurement import Measurement
from ros_mbmrl.robots.spec import RobotSpec
from ros_mbmrl.robots.trunk import Trunk
from ros_mbmrl.topics import topic

NANO = 1_000_000_000
AGE = "sensor_time"  # header.stamp: the step; time_ref: when its oldest part was measured
BATTERY = (
    *("voltage", "temperature", "current", "charge", "capacity", "design_capacity", "percentage"),
)
FRAMES: Mapping[str, str] = MappingProxyType(
    {"odom": "map", "velocity": "map", "imu": "base_link", "tool_points": "torso_lift_link"}
)


class MeasurementMessages:
    """Measurements of one robot as messages by topic. blank(type): an empty message."""

    def __init__(self, spec: RobotSpec, blank: Callable[[str], Any]) -> None:
        self._blank = blank
        self._channels = tuple(channel(where) for where in spec.channels)
        self._variances = tuple(variances(spec))
        self._trunk = Trunk.of(spec)
        self._own_twist = any(each.startswith("odom.twist.") for each in spec.channels)
        self._frames = {**FRAMES, "odom": "odom"} if any(spec.origin) else FRAMES
        self._motors, self._joints = [limit.name for limit in spec.action], joint_names(spec)
        self._robot = spec.name
        self.topics: tuple[str, ...] = measurement_topics(spec)

    def encode(self, measurement: Measurement, previous: Measurement | None) -> dict[str, Any]:
        """Return messages by topic; velocities that are not measured are finite differences.

        Args:
            measurement: whose numbers are in the messages.
            previous: the one before it, for the differences; None: there is none.
        """
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
        if self._trunk is not None:
            self._describe(self._trunk, messages["odom"], measurement, previous)
        put_stamp(messages[AGE].time_ref, max(0, stamp - nanoseconds(measurement.age)))
        return messages

    def _describe(
        self, trunk: Trunk, odom: Any, measurement: Measurement, previous: Measurement | None
    ) -> None:
        """Write the orientation that follows from an angle, and the twist, into `odom`."""
        if trunk.turn is not None:
            orientation = odom.pose.pose.orientation
            for part, value in zip("wxyz", trunk.orientation(measurement.values), strict=True):
                setattr(orientation, part, float(value))
        if self._own_twist or previous is None or not measurement.time > previous.time:
            return
        dt = measurement.time - previous.time
        twist = trunk.twist(measurement.values, previous.values, dt)
        if twist is None:
            return
        for k, (part, axes) in enumerate((("linear", trunk.axes), ("angular", trunk.turning_axes))):
            for axis in range(3):
                setattr(getattr(odom.twist.twist, part), "xyz"[axis], float(twist[k][axis]))
            for axis in axes:
                odom.twist.covariance[7 * (3 * k + axis)] = derived_variance(part, dt)

    def _empty(self, name: str, stamp: int) -> Any:
        message = self._blank(topic(name).type)
        put_stamp(message.header.stamp, stamp)
        message.header.frame_id = self._frames.get(name, "")
        if name == "odom":
            message.child_frame_id = "base_link"
        elif name in ("joint_states", "back_emf"):
            message.name = self._joints if name == "joint_states" else self._motors
            for field in {str(each.way[0]) for each in self._channels if each.topic == name}:
                setattr(message, field, [math.nan] * len(message.name))
        elif name == "velocity":
            message.vector.x = message.vector.y = message.vector.z = math.nan
        elif name == "tool_points":
            points = {each.way[1] for each in self._channels if each.topic == name}
            message.poses = [self._blank("geometry_msgs/msg/Pose") for _ in points]
        elif name == "battery":
            message.present = True
            for field in BATTERY:
                setattr(message, field, math.nan)
        elif name == AGE:
            message.source = self._robot
        for variance, value in self._variances:
            if variance.topic == name:
                variance.put(message, value)
        return message


def as_sent(measurement: Measurement) -> Measurement:
    """Return a measurement as its messages tell it: with times in whole nanoseconds."""
    stamp = nanoseconds(measurement.time)
    age = stamp - max(0, stamp - nanoseconds(measurement.age))
    return Measurement(stamp / NANO, measurement.values, age / NANO)


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
    """Return a time [s] as integer nanoseconds, exactly: divided by 1e9 they give it again."""
    numerator, denominator = float(seconds).as_integer_ratio()
    return (2 * numerator * NANO + denominator) // (2 * denominator)
