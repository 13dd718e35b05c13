"""Faults and ranges of a twin, as they are read."""

from __future__ import annotations

from pathlib import Path

import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.robots.described.changes import Change, read_changes, read_faults
from ros_mbmrl.robots.described.marked import Marked
from ros_mbmrl.robots.described.reading import read_description

ERRORS = ("shoulder", "elbow")


def test_every_command_and_group_can_be_weak_and_disabled(arm_file: Path) -> None:
    text = arm_file.read_text() + "fail_together: {both: [shoulder, elbow]}\n"
    arm_file.write_text(text)
    faults = read_faults(None, read_description(arm_file), ERRORS)
    assert faults["elbow_disabled"] == (Change("command", "elbow", "factor", 0.0, 0.0),)
    assert faults["both_weak"] == tuple(
        Change("command", name, "factor", 0.3, 0.3) for name in ERRORS
    )
    assert len(faults) == 6


def test_a_thing_may_change_in_several_ways(arm_file: Path) -> None:
    marked = Marked.parse("tyre: {geom: left, radius: 0.7, friction: 0.5}", "file")
    (first, second) = read_faults(marked, read_description(arm_file), ERRORS)["tyre"]
    assert (first.of, first.name, first.quantity, first.low) == ("geom", "left", "radius", 0.7)
    assert (second.quantity, second.low, second.high) == ("friction", 0.5, 0.5)


def test_ranges_are_of_the_robot_or_of_things() -> None:
    marked = Marked.parse("{mass: [0.5, 2], cargo: {body: box, mass: [0.1, 3]}}", "file")
    found = [(c.of, c.name, c.quantity, c.low, c.high) for c in read_changes(marked, ERRORS)]
    assert found == [("", "", "mass", 0.5, 2.0), ("body", "box", "mass", 0.1, 3.0)]
    assert read_changes(None, ERRORS) == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x: {geom: left}", "file:1: x: expected one of size, radius, friction"),
        ("x: {geom: left, mass: 1}", "x.mass: unknown key: expected one of geom, size"),
        ("x: {gemo: left, size: 1}", "x.gemo: unknown key: expected one of body, geom"),
        ("x: {geom: left, size: 0}", "x.size: expected a number above 0, got 0"),
        ("x: {command: elbow, factor: -1}", "x.factor: expected 0 or more, got -1"),
        ("x: {command: wrist, factor: 1}", "x.command: expected one of shoulder, elbow, got wrist"),
        ("x: {sensor: torque, add: 1}", "x.sensor: expected one of shoulder, elbow, got torque"),
        ("x: []", "x: expected a list of 1 or more, got []"),
        ("x-y: {friction: 1}", "expected a name of letters"),
    ],
)
def test_wrong_faults_are_told(arm_file: Path, text: str, message: str) -> None:
    with pytest.raises(UserError) as caught:
        read_faults(Marked.parse(text, "file"), read_description(arm_file), ERRORS)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("mass: 2", "mass: expected a list"),
        ("mass: [2, 1]", "expected [low, high]"),
        ("mass: [0, 1]", "mass: expected a number above 0"),
        ("colour: [0, 1]", "colour: unknown key: expected one of mass, friction, gear"),
        ("latency: [0, 1]", "latency: expected under 'faults'"),
        ("x: {sensor: elbow, add: [0, 1]}", "x.add: expected under 'faults'"),
    ],
)
def test_wrong_ranges_are_told(text: str, message: str) -> None:
    with pytest.raises(UserError) as caught:
        read_changes(Marked.parse(text, "file"), ERRORS)
    assert message in str(caught.value)
