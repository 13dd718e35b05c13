"""The robot's side of its topics, as the campaign plays it: whole, broken, and mended."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("rclpy")
pytest.importorskip("trajectory_msgs")

from geometry_msgs.msg import Twist, TwistStamped
from nav_msgs.msg import Odometry

from ros_mbmrl.faults import robot_faults as faults
from ros_mbmrl.nodes.far_side import FarSide, Sensor
from ros_mbmrl.robots.described.reading import parse_description
from tests.plants.topics.conftest import ARM, BASE

Until = Callable[[Callable[[], bool]], None]
WHERE = {"x": 1.0, "y": 2.0, "qw": 1.0, "qx": 0.0, "qy": 0.0, "qz": 0.0}


def sensor(text: str, alias: str) -> Sensor:
    return Sensor(parse_description(text, Path("r.yaml")), alias)


def stamp_of(message: Any) -> float:
    return float(message.header.stamp.sec + 1e-9 * message.header.stamp.nanosec)


def test_messages_are_broken_as_the_faults_say() -> None:
    odom = sensor(BASE, "odom")
    first, second = ({**WHERE, "speed": speed, "yaw_rate": 0.0} for speed in (0.1, 0.2))
    whole = odom.message(first, "")
    assert (whole.pose.pose.position.x, whole.twist.twist.linear.x) == (1.0, 0.1)
    assert odom.message(second, faults.FROZEN).twist.twist.linear.x == 0.1
    assert math.isnan(odom.message(second, faults.NAN).pose.pose.position.x)
    assert odom.message(second, faults.JUMP).pose.pose.position.x == 1.0 + faults.LEAP
    now = stamp_of(odom.message(second, ""))
    assert stamp_of(odom.message(second, faults.IN_THE_PAST)) < now
    assert stamp_of(odom.message(second, faults.IN_THE_FUTURE)) > now
    assert odom.message(second, "").twist.twist.linear.x == 0.2


def test_a_joint_is_missing_whole() -> None:
    measured = {"shoulder": 0.1, "elbow": 0.2, "shoulder_velocity": 1.0, "elbow_velocity": 2.0}
    made = sensor(ARM, "joints").message(measured, faults.LACKS)
    assert (list(made.name), list(made.position), list(made.velocity)) == (["elbow"], [0.2], [2.0])


@pytest.fixture
def far(domain: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[FarSide]:
    monkeypatch.setenv("ROS_DOMAIN_ID", str(domain))
    with FarSide(parse_description(BASE, Path("r.yaml")), 60.0, seed=0) as made:
        yield made


def test_it_moves_goes_and_comes_back_with_another_type(
    far: FarSide, apart: Any, until: Until
) -> None:
    heard: list[Odometry] = []
    ours, others = apart().make("ours"), apart().make("others")
    ours.create_subscription(Odometry, "/odom", heard.append, 5)
    plain = ours.create_publisher(Twist, "/cmd_vel", 5)
    stamped = others.create_publisher(TwistStamped, "/cmd_vel", 5)

    def tell(speed: float) -> bool:
        told = Twist()
        told.linear.x = speed
        plain.publish(told)
        return bool(far.driven) and far.driven[-1][1] == (speed != 0.0)

    until(lambda: tell(0.3))
    until(lambda: bool(heard) and heard[-1].pose.pose.position.x > 0.01)
    until(lambda: tell(0.0))
    until(lambda: tell(9.0))
    assert not far.arrived[-1][1] and far.arrived[0][1]
    until(lambda: tell(0.0))

    far.break_down("/odom", faults.SECOND)
    until(lambda: len(ours.get_publishers_info_by_topic("/odom")) == 2)
    far.mend()
    until(lambda: len(ours.get_publishers_info_by_topic("/odom")) == 1)
    far.break_down("/cmd_vel", faults.NOBODY)
    until(lambda: plain.get_subscription_count() == 0)
    far.mend()
    until(lambda: tell(0.3))
    until(lambda: tell(0.0))
    far.break_down("robot", faults.GONE)
    until(lambda: not ours.get_publishers_info_by_topic("/odom"))
    far.mend()
    until(lambda: tell(0.3))
    until(lambda: tell(0.0))
    far.break_down("/cmd_vel", faults.RETYPED)
    far.mend()

    def told_otherwise() -> bool:
        message = TwistStamped()
        message.twist.linear.x = 0.3
        stamped.publish(message)
        return far.driven[-1][1]

    until(told_otherwise)
