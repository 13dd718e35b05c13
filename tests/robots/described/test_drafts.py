"""Drafts of bases and of joints under ros2_control: each is a file that can be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.robots.described.description import Description
from ros_mbmrl.robots.described.draft import Draft, text_of
from ros_mbmrl.robots.described.drafts import (
    JOINT_STATE,
    NUMBERS,
    TRAJECTORY,
    Joint,
    base_draft,
    field_of,
    joints_draft,
    usual_controller,
)
from ros_mbmrl.robots.described.reading import parse_description

STAMPED = "geometry_msgs/msg/TwistStamped"
POSE = "geometry_msgs/msg/PoseStamped"


def read(draft: Draft) -> Description:
    return parse_description(text_of(draft), Path("robot.yaml"))


def test_a_base_takes_whichever_twist_it_takes() -> None:
    found = read(base_draft("base"))
    assert found.topics["drive"].type == "twist"
    assert [str(sink.field) for sink in found.sinks.values()] == ["linear.x", "angular.z"]
    assert found.drives == ("speed", "yaw_rate")


def test_a_base_on_motion_capture_has_its_velocities_derived() -> None:
    limits = {"speed": (0.0, 1.5)}
    found = read(base_draft("base", 0.05, ("/pose", POSE), ("/cmd", STAMPED), limits))
    assert [str(sink.field) for sink in found.sinks.values()] == [
        "twist.linear.x",
        "twist.angular.z",
    ]
    assert str(found.sources["x"].field) == "pose.position.x"
    assert [each.derived for each in found.scalars] == [True, True]
    assert (found.action[0].low, found.action[0].high) == (0.0, 1.5)


JOINTS = [Joint("hip", (-1.0, 2.0), fastest=3.0, strongest=40.0), Joint("wheel", endless=True)]


@pytest.mark.parametrize(
    ("takes", "unit", "fields", "most"),
    [
        ("velocity", "rad/s", ["data[0]", "data[1]"], [3.0, 0.5]),
        ("effort", "N m", ["data[0]", "data[1]"], [40.0, 1.0]),
        ("position", "rad/s", ["points[0].positions[hip]", "points[0].positions[wheel]"], [3, 0.5]),
    ],
)
def test_joints_under_the_usual_controllers(
    takes: str, unit: str, fields: list[str], most: list[float]
) -> None:
    found = read(joints_draft("legs", JOINTS, takes))
    assert [str(sink.field) for sink in found.sinks.values()] == fields
    assert [limit.unit for limit in found.action] == [unit, unit]
    assert [limit.high for limit in found.action] == most
    assert [s.integrates for s in found.sinks.values()] == (
        ["hip", "wheel"] if takes == "position" else ["", ""]
    )
    assert (found.kind, found.joints) == ("arm", ("hip", "wheel"))
    assert [each.name for each in found.scalars if each.wraps] == ["wheel"]
    assert found.envelope.state_limits == {"hip": (-1.0, 2.0)}
    assert found.tasks["middle"].goal == {"hip": 0.5, "wheel": 0.0}


def test_names_that_cannot_be_names_are_read_all_the_same() -> None:
    joints = [Joint("arm/joint-1"), Joint("arm/joint_1", endless=True)]
    found = read(joints_draft("arm", joints, "velocity"))
    assert found.kind == "general"
    assert str(found.sources["arm_joint_1"].field) == "position[arm/joint-1]"
    assert str(found.sources["arm_joint_1_"].field) == "position[arm/joint_1]"
    assert [each.wraps for each in found.scalars] == [False, True, False, False]


def test_joints_that_slide_are_in_metres() -> None:
    found = read(joints_draft("gantry", [Joint("x", (0.0, 1.0), linear=True)], "effort"))
    assert [each.unit for each in found.scalars] == ["m", "m/s"]
    assert found.action[0].unit == "N"


def test_no_joints_and_mixed_joints_are_refused() -> None:
    with pytest.raises(UserError, match="expected joints, got none"):
        joints_draft("arm", [], "velocity")
    with pytest.raises(UserError, match="all turn, or all slide"):
        joints_draft("arm", [Joint("a"), Joint("b", linear=True)], "velocity")


def test_where_a_command_is_in_a_message() -> None:
    assert usual_controller("effort") == ("/forward_effort_controller/commands", NUMBERS)
    assert usual_controller("position")[1] == TRAJECTORY
    assert field_of(JOINT_STATE, "effort", "a", 3) == "effort[a]"
    assert field_of(TRAJECTORY, "velocity", "a", 3) == "points[0].velocities[a]"
    assert field_of(NUMBERS, "velocity", "a", 3) == "data[3]"
    with pytest.raises(UserError, match="commands as my_msgs/msg/Legs: expected one of"):
        field_of("my_msgs/msg/Legs", "velocity", "a", 0)
