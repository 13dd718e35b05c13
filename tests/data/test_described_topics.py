"""Files whose topics, types, fields and units do not fit, each told with its line."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

pytest.importorskip("geometry_msgs")

from ros_mbmrl.data.described_topics import check_topics, inside
from ros_mbmrl.errors import UserError
from ros_mbmrl.robots.described.commands import KEYS as COMMAND_KEYS
from ros_mbmrl.robots.described.description import KINDS, UNITS
from ros_mbmrl.robots.described.reading import KEYS, parse_description
from ros_mbmrl.robots.described.sources import TWISTS, RobotTopic, parse_field
from ros_mbmrl.robots.described.task_reading import FORMS
from ros_mbmrl.robots.spec import Envelope
from ros_mbmrl.safety.types import SafetyConfig
from tests.plants.topics.conftest import ARM as TRAJECTORY_ARM
from tests.plants.topics.test_inputs import SEVERAL
from tests.robots.described.examples import ARM, BASE, CART, WALKER

PATH = Path("robot.yaml")


@pytest.mark.parametrize("text", [BASE, ARM, CART, WALKER, SEVERAL, TRAJECTORY_ARM])
def test_files_that_fit(text: str) -> None:
    check_topics(parse_description(text, PATH))


def test_a_twist_with_a_stamp_has_its_fields_deeper() -> None:
    path, either = parse_field("linear.x"), RobotTopic("/cmd_vel", "twist")
    assert str(inside(path, TWISTS[0], either)) == "linear.x"
    assert str(inside(path, TWISTS[1], either)) == "twist.linear.x"
    own = RobotTopic("/cmd_vel", TWISTS[1])  # the file names the type, and so its fields
    assert str(inside(parse_field("twist.linear.x"), TWISTS[1], own)) == "twist.linear.x"


# (file, what is written there, what is written instead, the message)
WRONG = [
    (BASE, "nav_msgs/msg/Odometry", "nav_msgs/msg/Odometri", "5: topics.odom.type: unknown mess"),
    (BASE, "nav_msgs/msg/Odometry", "my_msgs/msg/Legs", "5: topics.odom.type: unknown message"),
    (BASE, "odom.pose.pose", "odom.pose", "8: measured.pose: .* has no 'position'"),
    (BASE, "twist.linear.x", "twist.linear.w", "9: measured.speed: .*Vector3 has no 'w'"),
    (BASE, "odom.twist.twist.linear.x", "odom.child_frame_id", "9: .* is no number, it is string"),
    (BASE, "field: linear.x", "field: linear", "14: .*field: 'linear' is no number"),
    (BASE, "field: linear.x", "field: ahead", "14: commands.values.speed.field: .*no 'ahead'"),
    (
        BASE,
        "field: linear.x",
        "field: angular.y",
        "14: .*'speed' is in m/s, but angular.y of",
    ),
    (BASE, "unit: rad/s", "unit: m/s", "15: .*'yaw_rate' is in m/s, but angular.z"),
    (BASE, "name: /odom", "name: /cmd_vel", "6: topics.drive.name: '/cmd_vel' is 'odom' as well"),
    (BASE, "name: /odom", "name: odom", "5: topics.odom.name: 'odom' is the graph's own"),
    (BASE, "name: /odom", "name: /base/command/safe", "5: .* is the graph's own: expected the"),
    (
        BASE,
        "  drive: {name: /cmd_vel, type: geometry_msgs/msg/Twist}",
        "  drive: {name: /cmd_vel, type: nav_msgs/msg/Odometry}",
        "14: .*Odometry has no 'linear'",
    ),
    (
        CART,
        "topic: force",
        "topic: state",
        "commands.topic: it is measured as well: expected a topic that only commands",
    ),
    (ARM, "data[0]", "data[2]", r"data\[0\] is set by no command: expected one"),
    (ARM, "data[0]", "data[shoulder]", "names no joints: expected an index"),
    (ARM, "sensor_msgs/msg/JointState", "std_msgs/msg/Float64", "joints: .*has no 'position'"),
    (
        SEVERAL,
        "imu.angular_velocity.z",
        "imu.linear_acceleration.z",
        "'yaw_rate' is in rad/s, but linear_acceleration.z of .* is in m/s.2",
    ),
    (SEVERAL, "battery: battery.voltage", "battery: battery.charge[0]", "charge is no array"),
]


@pytest.mark.parametrize(("text", "old", "new", "message"), WRONG)
def test_a_mistake_is_told_in_one_line(text: str, old: str, new: str, message: str) -> None:
    assert old in text
    with pytest.raises(UserError, match=message) as error:
        check_topics(parse_description(text.replace(old, new, 1), PATH))
    assert str(error.value).startswith("robot.yaml:") and "\n" not in str(error.value)


def test_a_factor_turns_one_unit_into_another() -> None:
    text = BASE.replace("field: linear.x, unit: m/s", "field: linear.x, scale: 0.5, unit: m/s")
    check_topics(parse_description(text, PATH))


PAGE = (Path(__file__).parents[2] / "docs" / "yaml-robot.md").read_text()
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("text", EXAMPLES, ids=lambda text: text.split()[1])
def test_examples_of_the_page_fit(text: str) -> None:
    check_topics(parse_description(text, PATH))


def test_the_page_has_an_example_of_each_kind_and_every_key() -> None:
    assert {parse_description(text, PATH).kind for text in EXAMPLES} == set(KINDS)
    topics, envelope, safety = (
        [each.name for each in fields(cls)] for cls in (RobotTopic, Envelope, SafetyConfig)
    )
    options = ("source", "unit", "scale", "wraps", "seen", "predicted", "endless", "velocity")
    for key in (*KEYS, *COMMAND_KEYS, *FORMS, *topics, *envelope, *safety, *options, *UNITS):
        assert f"`{key}`" in PAGE or f"`{key}: " in PAGE, key
