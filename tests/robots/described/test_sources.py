"""Paths into messages, and what is read there."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from ros_mbmrl.robots.described.sources import Field, Source, parse_field, readers


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("pose.position.x", Field(("pose", "position", "x"))),
        ("data[3]", Field(("data", 3))),
        ("poses[1].position.z", Field(("poses", 1, "position", "z"))),
        ("velocity[left_wheel-joint]", Field(("velocity",), "left_wheel-joint")),
        ("points[0].positions[elbow]", Field(("points", 0, "positions"), "elbow")),
    ],
)
def test_a_path_is_read_and_written(text: str, field: Field) -> None:
    assert parse_field(text) == field
    assert str(field) == text


@pytest.mark.parametrize("text", ["", "a..b", "[0]", "a[", "a[x].b", "a b", "a-b"])
def test_no_path(text: str) -> None:
    with pytest.raises(ValueError, match="expected a"):
        parse_field(text)


def test_joints_are_found_by_name_in_any_order() -> None:
    source = Source("joints", parse_field("position[elbow]"), scale=0.5)
    message = SimpleNamespace(name=["x", "elbow"], position=[9.0, 4.0])
    assert source.read(message) == 2.0
    message.name.reverse()
    message.position.reverse()
    assert source.read(message) == 2.0


@pytest.mark.parametrize(
    ("names", "values", "message"),
    [
        (["x"], [1.0], "joint 'elbow': expected it among the message's, which are x"),
        (["x", "elbow"], [], r"position\[elbow\]: the message has 0 values for 2 joints"),
    ],
)
def test_a_joint_that_is_missing_is_named(
    names: list[str], values: list[float], message: str
) -> None:
    field = parse_field("position[elbow]")
    with pytest.raises(LookupError, match=message):
        field.read(SimpleNamespace(name=names, position=values))


def test_joint_names_of_a_trajectory_count_too() -> None:
    field = parse_field("positions[b]")
    assert field.read(SimpleNamespace(joint_names=["a", "b"], positions=[1, 2])) == 2.0


def test_what_comes_by_a_topic() -> None:
    sources = {"a": Source("t", Field(("x",))), "b": Source("u", Field(("x",)))}
    assert readers(sources, "t") == ["a"]
