"""A robot of a file on real topics: its side is played by nodes of other participants."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("rclpy")
pytest.importorskip("trajectory_msgs")

from geometry_msgs.msg import PoseStamped, Twist, TwistStamped
from nav_msgs.msg import Odometry
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import JointState
from std_msgs.msg import Float64MultiArray

from ros_mbmrl.nodes.robot_topics import RobotTopics
from ros_mbmrl.plants.base import PlantFault, PlantOptions
from ros_mbmrl.plants.topics.plant import TopicsPlant, make
from ros_mbmrl.robots.described.description import Description
from ros_mbmrl.robots.described.reading import parse_description
from ros_mbmrl.robots.described.robot import described_robot
from tests.plants.topics.conftest import BASE

Until = Callable[[Callable[[], bool]], None]
BEST_EFFORT = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
FORWARD = """
name: diff
kind: general
period: 0.1
topics:
  joints: {name: /joint_states, type: sensor_msgs/msg/JointState}
  wheels: {name: /wheel_controller/commands, type: std_msgs/msg/Float64MultiArray}
joints: {topic: joints, names: [left, right], endless: [left, right]}
commands:
  topic: wheels
  values:
    left_speed: {field: "data[0]", unit: rad/s, low: -10, high: 10}
    right_speed: {field: "data[1]", unit: rad/s, low: -10, high: 10}
tasks: {roll: {cost: square(left_velocity - 1)}}
"""


def described(text: str) -> Description:
    return parse_description(text, Path("robot.yaml"))


def plant_of(description: Description, participant: Any) -> TopicsPlant:
    bus = RobotTopics(participant.make("driver"))
    return make(described_robot(description), PlantOptions(bus=bus, clock=time.time))


class Base:
    """The far side: keeps what it is told, says where it is when asked to."""

    def __init__(self, node: Any, kind: type, qos: Any = 5) -> None:
        self.told: list[tuple[float, float]] = []
        self._node = node
        self._odom = node.create_publisher(Odometry, "/odom", qos)
        node.create_subscription(kind, "/cmd_vel", self._on_command, qos)

    def _on_command(self, message: Any) -> None:
        twist = message.twist if isinstance(message, TwistStamped) else message
        self.told.append((twist.linear.x, twist.angular.z))

    def tell(self) -> None:
        message = Odometry()
        message.header.stamp = self._node.get_clock().now().to_msg()
        message.pose.pose.position.x = 1.5
        message.twist.twist.linear.x = 0.2
        self._odom.publish(message)


def fault_of(what: Callable[[], object]) -> str:
    try:
        what()
    except PlantFault as fault:
        return str(fault)
    return ""


@pytest.mark.parametrize("qos", [5, BEST_EFFORT], ids=["reliable", "best effort"])
@pytest.mark.parametrize("kind", [Twist, TwistStamped])
def test_a_base_of_any_quality_and_type(apart: Any, until: Until, kind: type, qos: Any) -> None:
    base = Base(apart().make("base"), kind, qos)
    with plant_of(described(BASE), apart()) as plant:

        def heard() -> bool:
            base.tell()
            return fault_of(plant.observe) == ""

        until(heard)
        assert plant.observe().values[[0, 6]].tolist() == [1.5, 0.2]

        def reached() -> bool:
            return fault_of(lambda: plant.command(np.array([0.5, -1.0]))) == "" and bool(base.told)

        until(reached)
        assert base.told[-1] == (0.5, -1.0)
        until(lambda: base.told[-1] == (0.0, 0.0))  # commands have ended
        assert plant.counters()["timeouts"] == 1


def test_the_way_out_is_heard(apart: Any, until: Until) -> None:
    base = Base(apart().make("base"), Twist)
    with plant_of(described(BASE), apart()) as plant:
        until(lambda: fault_of(lambda: plant.command(np.array([0.5, 1.0]))) == "")
    until(lambda: base.told[-1:] == [(0.0, 0.0)])


def test_a_base_that_goes_and_comes_back_with_the_other_type(apart: Any, until: Until) -> None:
    with plant_of(described(BASE), apart()) as plant:
        for kind in (Twist, TwistStamped):
            far = apart()
            base = Base(far.make("base"), kind)

            def driven(base: Base = base) -> bool:
                fault_of(lambda: plant.command(np.array([0.5, -1.0])))
                return (0.5, -1.0) in base.told

            until(driven)
            far.close()
            until(lambda: "nobody takes" in fault_of(lambda: plant.command(np.zeros(2))))


def test_who_else_is_there_and_of_which_type(apart: Any, until: Until) -> None:
    base = Base(apart().make("base"), Twist)
    other = apart()
    node = other.make("other")
    with plant_of(described(BASE), apart()) as plant:
        joystick = node.create_publisher(Twist, "/cmd_vel", 1)
        rival = "/cmd_vel: /robot/other publishes there as well: expected nobody"
        until(lambda: fault_of(lambda: plant.command(np.zeros(2))) == rival)
        node.destroy_publisher(joystick)
        until(lambda: fault_of(lambda: plant.command(np.zeros(2))) == "")
        second = node.create_publisher(Odometry, "/odom", 5)
        several = "/odom comes from /robot/base and /robot/other"
        until(lambda: fault_of(plant.observe).startswith(several))
        node.destroy_publisher(second)
        until(lambda: base.tell() or fault_of(plant.observe) == "")  # type: ignore[func-returns-value]


def test_another_type_and_another_quality_of_service(apart: Any, until: Until) -> None:
    far = apart().make("far")
    far.create_publisher(PoseStamped, "/odom", 5)
    latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    far.create_subscription(Twist, "/cmd_vel", lambda _: None, latched)
    with plant_of(described(BASE), apart()) as plant:
        wrong = "/odom has geometry_msgs/msg/PoseStamped of /robot/far: expected nav_msgs"
        until(lambda: fault_of(plant.observe).startswith(wrong))
        unmatched = "/cmd_vel: /robot/far does not match in quality of service"
        until(lambda: fault_of(lambda: plant.command(np.zeros(2))).startswith(unmatched))
        assert plant.counters()["sent"] == 0


def test_a_reliable_subscription_is_asked_for_by_the_file(apart: Any, until: Until) -> None:
    """As the file says so, a best-effort publisher is not heard: the middleware matches nothing."""
    base = Base(apart().make("base"), Twist, BEST_EFFORT)
    description = described(BASE)
    odom = replace(description.topics["odom"], reliable=True)
    wanted = replace(description, topics={**description.topics, "odom": odom})
    with plant_of(wanted, apart()) as plant:
        told = "/odom: /robot/base is not reliable, and 'reliable: true' asks for it"
        until(lambda: base.tell() or fault_of(plant.observe) == told)  # type: ignore[func-returns-value]


class Wheels:
    """A ros2_control robot: joint_state_broadcaster, and forward_command_controller's topic.

    The broadcaster names joints in its own order, and others, too.
    """

    names = ("right", "gripper", "left")

    def __init__(self, node: Any) -> None:
        self._node, self.speeds = node, dict.fromkeys(self.names, 0.0)
        self.empty = False
        self._states = node.create_publisher(JointState, "/joint_states", 5)
        topic = "/wheel_controller/commands"
        node.create_subscription(Float64MultiArray, topic, self._on_command, BEST_EFFORT)

    def _on_command(self, message: Float64MultiArray) -> None:
        self.speeds["left"], self.speeds["right"] = message.data

    def tell(self) -> None:
        message = JointState(name=self.names, position=[0.1, 0.2, 0.3])
        message.header.stamp = self._node.get_clock().now().to_msg()
        message.velocity = [] if self.empty else [self.speeds[name] for name in self.names]
        self._states.publish(message)


def test_joints_of_a_broadcaster_and_a_forward_command_controller(apart: Any, until: Until) -> None:
    wheels = Wheels(apart().make("controller_manager"))
    with plant_of(described(FORWARD), apart()) as plant:

        def driven() -> bool:
            wheels.tell()
            said = fault_of(lambda: plant.command(np.array([2.0, -3.0])))
            return said == "" and wheels.speeds["left"] == 2.0 and fault_of(plant.observe) == ""

        until(driven)
        until(lambda: wheels.tell() or plant.observe().values[2] == 2.0)  # type: ignore[func-returns-value]
        assert plant.observe().values.tolist() == [0.3, 0.1, 2.0, -3.0]
        wheels.empty = True
        missing = "/joint_states: velocity[left]: the message has 0 values for 3 joints"
        until(lambda: wheels.tell() or fault_of(plant.observe) == missing)  # type: ignore[func-returns-value]
    until(lambda: wheels.speeds["left"] == 0.0)
