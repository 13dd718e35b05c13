"""A middleware in memory, and robots of files on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from ros_mbmrl.plants.topics.bus import End
from ros_mbmrl.robots.described.description import Description
from ros_mbmrl.robots.described.reading import parse_description

BASE = """
name: wheeled_yaml
kind: planar_base
period: 0.1
topics:
  odom: {name: /odom, type: nav_msgs/msg/Odometry}
  drive: {name: /cmd_vel, type: twist}
measured:
  pose: odom.pose.pose
  speed: odom.twist.twist.linear.x
  yaw_rate: odom.twist.twist.angular.z
commands:
  topic: drive
  values:
    speed: {field: linear.x, unit: m/s, low: -0.3, high: 0.6, rate: 3.0}
    yaw_rate: {field: angular.z, unit: rad/s, low: -2.0, high: 2.0, rate: 20.0}
envelope: {arena: [-3, 3, -3, 3], margin: 0.3}
"""
ARM = """
name: arm_yaml
kind: arm
period: 0.1
topics:
  joints: {name: /joint_states, type: sensor_msgs/msg/JointState}
  target: {name: /controller/joint_trajectory, type: trajectory_msgs/msg/JointTrajectory}
joints: {topic: joints, names: [shoulder, elbow]}
commands:
  topic: target
  values:
    shoulder_rate:
      {field: "points[0].positions[shoulder]", unit: rad/s, low: -1, high: 1, integrates: shoulder}
    elbow_rate:
      {field: "points[0].positions[elbow]", unit: rad/s, low: -2, high: 2, integrates: elbow}
tasks:
  up: {goal: {shoulder: 0.5}}
envelope: {state_limits: {elbow: [-1.5, 1.5]}}
"""


class MemoryOutlet:
    """An `Outlet` that keeps what is published."""

    def __init__(self, bus: MemoryBus, topic: str, kind: str, reliable: bool) -> None:
        self.bus, self.topic, self.kind, self.reliable = bus, topic, kind, reliable
        self.closed = False

    def publish(self, message: Any) -> None:
        assert not self.closed
        self.bus.sent.append((self.topic, message))

    def listeners(self) -> int:
        return self.bus.matched

    def close(self) -> None:
        self.closed = True


class MemoryBus:
    """A `Bus` in memory: callbacks by topic, and ends as a test sets them."""

    name = "/robot/driver"

    def __init__(self) -> None:
        self.callbacks: dict[str, Callable[[Any], None]] = {}
        self.reliable: dict[str, bool] = {}
        self.timers: list[Callable[[], None]] = []
        self.ends: dict[tuple[str, str], list[End]] = {}
        self.sent: list[tuple[str, Any]] = []
        self.outlets: list[MemoryOutlet] = []
        self.matched = 1

    def resolve(self, topic: str) -> str:
        return topic if topic.startswith("/") else f"/robot/{topic}"

    def listen(
        self,
        topic: str,
        kind: str,
        callback: Callable[[Any], None],
        reliable: bool = False,
        latched: bool = False,
    ) -> Callable[[], None]:
        self.callbacks[topic], self.reliable[topic] = callback, reliable
        return lambda: self.callbacks.pop(topic) and None

    def advertise(self, topic: str, kind: str, reliable: bool = True) -> MemoryOutlet:
        self.outlets.append(MemoryOutlet(self, topic, kind, reliable))
        return self.outlets[-1]

    def givers(self, topic: str) -> Sequence[End]:
        return self.ends.get(("giver", topic), [])

    def takers(self, topic: str) -> Sequence[End]:
        return self.ends.get(("taker", topic), [])

    def every(self, period: float, callback: Callable[[], None]) -> Callable[[], None]:
        self.timers.append(callback)
        return lambda: self.timers.remove(callback)

    def stamp(self) -> Any:
        from builtin_interfaces.msg import Time

        return Time(sec=7)

    def tick(self) -> None:
        for each in self.timers:
            each()


@pytest.fixture
def bus() -> MemoryBus:
    return MemoryBus()


@pytest.fixture
def base() -> Description:
    return parse_description(BASE, Path("base.yaml"))


@pytest.fixture
def arm() -> Description:
    return parse_description(ARM, Path("arm.yaml"))
