"""Drafts from bags: a base, a ros2_control arm, and bags that no robot can be made of."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("rclpy")
pytest.importorskip("trajectory_msgs")

from geometry_msgs.msg import PoseStamped, Twist, TwistStamped
from nav_msgs.msg import Odometry
from rclpy.serialization import serialize_message
from sensor_msgs.msg import BatteryState, Imu, JointState
from std_msgs.msg import Bool, Float64MultiArray
from trajectory_msgs.msg import JointTrajectory

from ros_mbmrl.data.bag_draft import bag_draft
from ros_mbmrl.data.described_topics import check_topics
from ros_mbmrl.data.recording import RecordingWriter
from ros_mbmrl.errors import UserError
from ros_mbmrl.robots.described.description import Description
from ros_mbmrl.robots.described.draft import text_of
from ros_mbmrl.robots.described.reading import parse_description

Messages = dict[str, tuple[float, Sequence[Any]]]  # by topic: rate [1/s], and messages


def bag(folder: Path, messages: Messages) -> Path:
    path = folder / "drive.mcap"
    rows = [
        (k / rate, topic, message)
        for topic, (rate, several) in messages.items()
        for k, message in enumerate(several)
    ]
    rows.sort(key=lambda row: row[0])
    with RecordingWriter(path) as writer:
        for seconds, topic, message in rows:
            package = type(message).__module__.split(".")[0]
            kind = f"{package}/msg/{type(message).__name__}"
            stamp = round((1e9 + seconds) * 1e9)
            writer.write_raw(topic, kind, bytes(serialize_message(message)), stamp, stamp)
    return path


def twist(speed: float, turn: float) -> Twist:
    message = Twist()
    message.linear.x, message.angular.z = speed, turn
    return message


def read(path: Path, **options: Any) -> Description:
    found = parse_description(text_of(bag_draft(path, "robot", **options)), Path("robot.yaml"))
    check_topics(found)
    return found


def test_a_base_with_more_sensors(tmp_path: Path) -> None:
    drives = [twist(-0.21, 0.0), twist(0.5712, 1.9), twist(0.0, -1.04)] * 10
    path = bag(
        tmp_path,
        {
            "/wheel/odom": (50.0, [Odometry()] * 100),
            "/odometry/filtered": (20.0, [Odometry()] * 150),
            "/cmd_vel": (10.0, drives),
            "/imu": (100.0, [Imu()] * 100),
            "/battery": (0.5, [BatteryState()] * 3),
            "/lamp": (1.0, [Bool()] * 3),
        },
    )
    found = read(path)
    assert found.kind == "planar_base"
    assert found.topics["odom"].name == "/odometry/filtered"  # the one with most messages
    assert "# or /wheel/odom" in found.text
    assert found.period == 0.1  # as the commands came
    speed, turn = found.action
    assert (speed.low, speed.high) == pytest.approx((-0.21, 0.58))  # outwards, to two digits
    assert (turn.low, turn.high) == pytest.approx((-1.1, 1.9))
    assert [str(found.sources[f"gyro_{axis}"].field) for axis in "xyz"] == [
        f"angular_velocity.{axis}" for axis in "xyz"
    ]
    assert found.topics["battery"].timeout == 6.0
    assert {topic.name for topic in found.topics.values()} >= {"/imu", "/battery"}


def test_the_topics_that_are_meant_are_taken(tmp_path: Path) -> None:
    path = bag(
        tmp_path,
        {
            "/wheel/odom": (50.0, [Odometry()] * 9),
            "/odom": (50.0, [Odometry()] * 20),
            "/teleop": (9.0, [twist(9.0, 0.0)] * 9),
            "/cmd_vel": (9.0, [twist(1.0, 0.0)] * 3),
        },
    )
    found = read(path, state="/wheel/odom", command="/cmd_vel")
    assert [topic.name for topic in found.topics.values()] == ["/wheel/odom", "/cmd_vel"]
    assert found.action[0].high == 1.0
    with pytest.raises(UserError, match="unknown topic of .*'/cmd': expected one of /cmd_vel, /t"):
        bag_draft(path, "robot", command="/cmd")


def test_a_base_on_motion_capture_with_stamped_twists(tmp_path: Path) -> None:
    path = bag(
        tmp_path,
        {
            "/mocap/pose": (100.0, [PoseStamped()] * 50),
            "/cmd_vel": (20.0, [TwistStamped(twist=twist(0.3, 0.0))] * 10),
        },
    )
    found = read(path)
    assert str(found.sources["x"].field) == "pose.position.x"
    assert str(found.sinks["speed"].field) == "twist.linear.x"
    assert found.topics["drive"].type == "geometry_msgs/msg/TwistStamped"
    assert found.period == 0.05
    assert found.action[1].high == 1.0  # it never turned: the usual limit


def test_what_a_pose_cannot_do_is_in_the_file(tmp_path: Path) -> None:
    """Twice as fast as in the bag is a leap; noise that never repeated says what is frozen."""
    rng, poses = np.random.default_rng(0), []
    for k in range(200):
        message = PoseStamped()
        message.header.stamp.sec, message.header.stamp.nanosec = divmod(k * 20_000_000, 10**9)
        message.pose.position.x = 0.008 * max(0, k - 50) + 1e-5 * rng.normal()
        message.pose.orientation.w = 1.0
        poses.append(message)
    found = read(bag(tmp_path, {"/pose": (50.0, poses), "/cmd_vel": (10.0, [twist(0.4, 0.0)] * 9)}))
    assert found.envelope.max_speed == pytest.approx(0.81, abs=0.011)
    (live,) = found.envelope.live_sensors
    assert live.states == ("x", "y", "cos_yaw", "sin_yaw")


def joints(position: Sequence[float], velocity: Sequence[float]) -> JointState:
    return JointState(name=["b", "a", "w"], position=position, velocity=velocity)


def test_an_arm_under_a_trajectory_controller(tmp_path: Path) -> None:
    states = [joints([0.0, 0.1 * k, 0.9 * k], []) for k in range(11)]
    goals = [JointTrajectory(joint_names=["a", "w"])] * 3
    found = read(bag(tmp_path, {"/joint_states": (50.0, states), "/jtc/goal": (25.0, goals)}))
    assert (found.kind, found.joints, found.command_topic) == ("arm", ("a", "w"), "command")
    assert found.topics["command"].name == "/jtc/goal"
    assert [sink.integrates for sink in found.sinks.values()] == ["a", "w"]
    assert all(each.derived for each in found.scalars if each.name.endswith("velocity"))
    low, high = found.envelope.state_limits["a"]  # where it was, and a tenth more
    assert (low, high) == pytest.approx((-0.1, 1.1))
    assert [each.name for each in found.scalars if each.wraps] == ["w"]  # more than a turn
    assert found.period == 0.04


@pytest.mark.parametrize(
    ("topic", "takes", "unit"),
    [
        ("/forward_effort_controller/commands", "", "N m"),
        ("/wheels/commands", "", "rad/s"),
        ("/wheels/commands", "effort", "N m"),
    ],
)
def test_joints_under_a_forward_controller(
    topic: str, takes: str, unit: str, tmp_path: Path
) -> None:
    states = [joints([0.0, 0.1, 0.2], [0.0, 0.0, 0.0])] * 5
    path = bag(
        tmp_path,
        {"/joint_states": (50.0, states), topic: (50.0, [Float64MultiArray(data=[1.0, 2.0])] * 5)},
    )
    found = read(path, takes=takes, period=0.02)
    assert [limit.unit for limit in found.action] == [unit, unit]
    assert found.joints == ("b", "a")  # the first two, as many as there are commands
    assert not any(each.derived for each in found.scalars)
    assert found.period == 0.02


@pytest.mark.parametrize(
    ("messages", "error"),
    [
        ({"/lamp": (1.0, [Bool()])}, r"expected a pose and a Twist, or a JointState, got /lamp"),
        ({"/odom": (9.0, [Odometry()])}, "expected a pose and a Twist"),
        ({"/joint_states": (9.0, [JointState()])}, "/joint_states names no joints"),
        (
            {
                "/joint_states": (9.0, [joints([0.0] * 3, [])]),
                "/c": (9.0, [Float64MultiArray(data=[0.0] * 4)]),
            },
            "/c has 4 values for 3 joints: expected one each",
        ),
    ],
)
def test_bags_that_no_robot_can_be_made_of(messages: Messages, error: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=error):
        bag_draft(bag(tmp_path, messages), "robot")


def test_a_folder_is_its_one_bag(tmp_path: Path) -> None:
    path = bag(tmp_path, {"/odom": (9.0, [Odometry()]), "/cmd_vel": (9.0, [twist(1.0, 0.0)])})
    assert bag_draft(tmp_path, "robot").topics[0].name == "/odom"
    (tmp_path / "other.mcap").write_bytes(path.read_bytes())
    with pytest.raises(UserError, match="expected one bag, got 2"):
        bag_draft(tmp_path, "robot")
