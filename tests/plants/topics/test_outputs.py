"""Commands as messages of the types that robots take."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("geometry_msgs")
pytest.importorskip("trajectory_msgs")

from builtin_interfaces.msg import Time  # noqa: E402

from ros_mbmrl.plants.topics.outputs import Writer  # noqa: E402
from ros_mbmrl.robots.described.sources import Sink, parse_field  # noqa: E402


def written(kind: str, *values: tuple[str, float], scale: float = 1.0) -> Any:
    sinks = [Sink(parse_field(field), scale) for field, _ in values]
    return Writer(kind, sinks, period=0.05).write([v for _, v in values], Time(sec=3))


def test_twist() -> None:
    message = written("geometry_msgs/msg/Twist", ("linear.x", 0.5), ("angular.z", -1.0))
    assert (message.linear.x, message.linear.y, message.angular.z) == (0.5, 0.0, -1.0)


def test_twist_with_a_stamp() -> None:
    message = written("geometry_msgs/msg/TwistStamped", ("twist.linear.x", 0.5))
    assert (message.header.stamp.sec, message.header.frame_id) == (3, "base_link")
    assert message.twist.linear.x == 0.5


def test_array_of_numbers_in_the_order_of_the_file() -> None:
    message = written("std_msgs/msg/Float64MultiArray", ("data[2]", 3.0), ("data[0]", 1.0))
    assert message.data.tolist() == [1.0, 0.0, 3.0]


def test_joint_state_names_its_joints() -> None:
    message = written("sensor_msgs/msg/JointState", ("velocity[left]", 1.0), ("velocity[right]", 2))
    assert message.name == ["left", "right"]
    assert message.velocity.tolist() == [1.0, 2.0]
    assert message.position.tolist() == []


def test_trajectory_begins_when_it_comes_and_ends_after_a_period() -> None:
    message = written(
        "trajectory_msgs/msg/JointTrajectory",
        ("points[0].positions[elbow]", 1.0),
        ("points[0].positions[wrist]", 2.0),
        ("points[0].velocities[wrist]", 0.5),
    )
    assert message.joint_names == ["elbow", "wrist"]
    assert (message.header.stamp.sec, message.header.stamp.nanosec) == (0, 0)
    (point,) = message.points
    assert point.positions.tolist() == [1.0, 2.0]
    assert point.velocities.tolist() == [0.0, 0.5]
    assert (point.time_from_start.sec, point.time_from_start.nanosec) == (0, 50_000_000)


def test_fields_of_other_kinds_of_numbers() -> None:
    assert written("std_msgs/msg/Int16", ("data", 2.6)).data == 3
    assert written("std_msgs/msg/Bool", ("data", 1.0)).data is True
    message = written("geometry_msgs/msg/PoseWithCovariance", ("covariance[35]", 4.0))
    assert message.covariance[35] == 4.0
    assert sum(message.covariance) == 4.0


def test_scale_is_the_way_from_the_message_to_the_command() -> None:
    message = written("std_msgs/msg/Float64", ("data", 1.0), scale=0.01)  # the robot takes percents
    assert message.data == pytest.approx(100.0)
