"""What a description tells of the robot as a whole."""

from __future__ import annotations

from pathlib import Path

from ros_mbmrl.robots.described.description import KNOWN, UNITS
from ros_mbmrl.robots.described.reading import parse_description
from tests.robots.described.examples import CART


def test_measured_are_the_scalars_of_a_robot_without_a_pose() -> None:
    described = parse_description(CART, Path("f"))
    assert described.measured == ("place", "speed", "pole", "pole_rate", "load")


def test_known_quantities_have_units_that_files_may_say() -> None:
    assert {unit for unit, _ in KNOWN.values()} <= set(UNITS)
