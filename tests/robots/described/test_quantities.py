"""What is measured, and where it comes from."""

from __future__ import annotations

from pathlib import Path

import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.robots.described.description import Description, Scalar
from ros_mbmrl.robots.described.reading import parse_description
from tests.robots.described.examples import ARM, BASE, WALKER

TOPICS = """\
topics:
  odom: {name: /odom, type: nav_msgs/msg/Odometry}
  imu: {name: /imu, type: sensor_msgs/msg/Imu}
  tf: {name: /tf, type: tf2_msgs/msg/TFMessage}
  out: {name: /out, type: sensor_msgs/msg/JointState}
joints: {topic: out, names: [hip, knee], velocity: none}
"""


def parsed(text: str) -> Description:
    return parse_description(text, Path("f"))


def test_rates_that_are_not_measured_are_derived() -> None:
    text = BASE.replace("  speed: odom.twist.twist.linear.x\n", "")
    speed, rate = parsed(text).scalars
    assert (speed.name, speed.derived, rate.name, rate.derived) == (
        "speed",
        True,
        "yaw_rate",
        False,
    )
    assert parsed(text).measured == ("x", "y", "qw", "qx", "qy", "qz", "yaw_rate")


def test_a_pose_of_x_y_and_yaw() -> None:
    separate = "pose: {x: odom.a, y: odom.b, yaw: {source: odom.c, scale: 0.017}}"
    found = parsed(BASE.replace("pose: odom.pose.pose", separate))
    assert found.pose == ("x", "y", "yaw")
    assert found.sources["yaw"].scale == 0.017


def test_a_pose_from_transforms() -> None:
    text = BASE.replace(
        "odom: {name", "tf: {name: /tf, type: tf2_msgs/msg/TFMessage}\n  odom: {name"
    )
    text = text.replace("pose: odom.pose.pose", "pose: {topic: tf, frames: [map, odom, base_link]}")
    found = parsed(text)
    assert found.transforms == ("map", "odom", "base_link")
    assert str(found.sources["qw"].field) == "transform.rotation.w"
    with pytest.raises(UserError, match="expected a topic of type tf2_msgs/msg/TFMessage"):
        parsed(text.replace("topic: tf", "topic: odom"))


def test_a_floating_base_with_vectors() -> None:
    text = WALKER.replace("joints: {names: [hip, knee]}\n", TOPICS)
    text = text.replace("hip: {unit", 'hip: {field: "velocity[hip]", unit')
    text = text.replace("knee: {unit", 'knee: {field: "velocity[knee]", unit')
    text = text.replace("  values:", "  topic: out\n  values:")
    text += "measured: {pose: odom.pose.pose, gyro: imu.angular_velocity}\n"
    found = parsed(text)
    names = [scalar.name for scalar in found.scalars]
    assert names[:6] == [f"{kind}_{axis}" for kind in ("velocity", "rate") for axis in "xyz"]
    assert names[6:] == ["gyro_x", "gyro_y", "gyro_z", "hip", "knee"]
    assert all(scalar.derived for scalar in found.scalars[:6])
    assert str(found.sources["gyro_z"].field) == "angular_velocity.z"


def test_joints_have_positions_then_velocities() -> None:
    found = parsed(ARM)
    assert [s.name for s in found.scalars] == [
        *("shoulder", "elbow", "wrist"),
        *("shoulder_velocity", "elbow_velocity", "wrist_velocity"),
    ]
    assert found.scalars[2] == Scalar("wrist", "rad", wraps=True)
    assert str(found.sources["elbow_velocity"].field) == "velocity[elbow]"
    derived = parsed(ARM.replace("endless: [wrist]", "endless: [wrist], velocity: difference"))
    assert derived.measured == ("shoulder", "elbow", "wrist")
    assert derived.scalars[-1] == Scalar("wrist_velocity", "rad/s", derived=True, of="wrist")
