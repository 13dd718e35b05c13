"""Commands of a robot: where they go, and rates of positions."""

from __future__ import annotations

from pathlib import Path

import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.robots.described.reading import parse_description
from ros_mbmrl.robots.described.sources import Sink, parse_field
from tests.robots.described.examples import ARM, BASE

RATE = ARM.replace('"data[1]", unit: N m', '"data[1]", integrates: elbow, unit: rad/s')


def test_a_command_that_is_a_rate() -> None:
    found = parse_description(RATE, Path("f"))
    assert found.sinks["elbow"] == Sink(parse_field("data[1]"), integrates="elbow")
    with pytest.raises(UserError, match="unit: expected rad/s, the rate of 'elbow', got N m"):
        parse_description(RATE.replace("unit: rad/s", "unit: N m"), Path("f"))


def test_names_of_joysticks_axes_follow_from_names_where_fields_do_not_tell() -> None:
    text = BASE.replace("field: linear.x", 'field: "data[0]"').replace("angular.z, unit", "w, unit")
    assert parse_description(text, Path("f")).drives == ("speed", "yaw_rate")


def test_a_robot_without_commands_is_none() -> None:
    head = BASE.partition("commands:")[0]
    with pytest.raises(UserError, match="expected a command, got none"):
        parse_description(head + "commands: {topic: drive, values: {}}", Path("f"))
