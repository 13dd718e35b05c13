"""Text of a draft: YAML that is read back as what was meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from ros_mbmrl.robots.described.draft import (
    Draft,
    DraftCommand,
    DraftTopic,
    goal,
    identifier,
    number,
    quoted,
    text_of,
)
from ros_mbmrl.robots.described.reading import parse_description
from ros_mbmrl.untrusted import parse_yaml


@pytest.mark.parametrize(
    "text", ["/cmd_vel", "elbow", "b-c", "data[0]", "1", "1e3", "no", "a: b", 'a"b', "# x", "ä", ""]
)
def test_a_text_is_read_back(text: str) -> None:
    assert parse_yaml(f"key: {{of: {quoted(text)}}}") == {"key": {"of": text}}


def test_numbers_have_four_digits() -> None:
    assert [number(each) for each in (0.1, -1.23456, 100.0, 1e-5)] == [
        "0.1",
        "-1.235",
        "100",
        "1e-05",
    ]


@pytest.mark.parametrize(
    ("text", "name"),
    [("elbow", "elbow"), ("L/Arm joint-1", "l_arm_joint_1"), ("1st", "j1st"), ("--", "x")],
)
def test_a_name_for_any_text(text: str, name: str) -> None:
    assert identifier(text) == name and name.isidentifier()


def test_a_goal_is_in_the_middle_of_the_limits() -> None:
    line = goal("rest", ["a", "b"], {"a": (-1.0, 2.0)})
    assert parse_yaml(line) == {"rest": {"goal": {"a": 0.5, "b": 0}}}


def test_all_sections_are_read_back() -> None:
    draft = Draft(
        name="arm",
        kind="arm",
        period=0.05,
        origin="Draft from nowhere.",
        topics=(
            DraftTopic("joints", "/joint_states", "sensor_msgs/msg/JointState", timeout=2.0),
            DraftTopic("command", "/c", "std_msgs/msg/Float64MultiArray", note="or another"),
        ),
        joints=("a", "b"),
        joint_topic="joints",
        endless=("b",),
        velocity="difference",
        commands=(
            DraftCommand("a_rate", "rad/s", -1.0, 1.0, "data[0]", "a", "look"),
            DraftCommand("b_rate", "rad/s", -1.0, 2.0, "data[1]"),
        ),
        command="command",
        limits={"a": (-1.0, 1.0)},
        tasks=("up: {goal: {a: 0.5}}",),
        twin=("model: arm.xml",),
    )
    text = text_of(draft)
    found = parse_description(text, Path("arm.yaml"))
    assert text.startswith("# Draft from nowhere.\n")
    assert (found.name, found.kind, found.period, found.joints) == ("arm", "arm", 0.05, ("a", "b"))
    assert found.topics["joints"].timeout == 2.0 and found.topics["command"].name == "/c"
    assert [each.wraps for each in found.scalars] == [False, True, False, False]
    assert [each.of for each in found.scalars] == ["", "", "a", "b"]
    assert found.sinks["a_rate"].integrates == "a"
    assert [limit.high for limit in found.action] == [1.0, 2.0]
    assert found.envelope.state_limits == {"a": (-1.0, 1.0)}
    assert found.tasks["up"].goal == {"a": 0.5}
    assert found.twin is not None
