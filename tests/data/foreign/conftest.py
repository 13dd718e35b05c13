"""A base on a robot's own topics: odometry, a pose, commands; and samples of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.spec import Robot

BASE = """
name: rover
kind: planar_base
period: 0.1
topics:
  odometry: {name: /odom, type: nav_msgs/msg/Odometry}
  drive: {name: /cmd_vel, type: geometry_msgs/msg/Twist}
measured:
  pose: odometry.pose.pose
  speed: odometry.twist.twist.linear.x
  yaw_rate: odometry.twist.twist.angular.z
commands:
  topic: drive
  values:
    forward: {field: linear.x, unit: m/s, low: -1.0, high: 1.0}
    turn: {field: angular.z, unit: rad/s, low: -2.0, high: 2.0}
"""
ARM = """
name: reacher
kind: arm
period: 0.05
topics:
  joints: {name: /joint_states, type: sensor_msgs/msg/JointState}
  efforts: {name: /efforts, type: std_msgs/msg/Float64MultiArray}
joints: {topic: joints, names: [shoulder, elbow]}
commands:
  topic: efforts
  values:
    shoulder: {field: "data[0]", unit: N m, low: -1.0, high: 1.0}
    elbow: {field: "data[1]", unit: N m, low: -1.0, high: 1.0, scale: 0.5}
tasks:
  reach: {goal: {shoulder: 0.5, elbow: -0.5}}
"""


@pytest.fixture
def robot_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Writes a robot's file; robots are forgotten after the test."""
    monkeypatch.setenv("MBMRL_ROBOTS", "")

    def written(text: str) -> Path:
        path = tmp_path / "my_robot.yaml"
        path.write_text(text)
        return path

    return written


@pytest.fixture
def base(robot_file: Callable[[str], Path]) -> Robot:
    """A planar base at 10 Hz."""
    return make_robot(str(robot_file(BASE)))


@pytest.fixture
def arm(robot_file: Callable[[str], Path]) -> Robot:
    """An arm of two joints at 20 Hz."""
    return make_robot(str(robot_file(ARM)))
