"""A robot's specification: what it works out, and what it refuses."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from ros_mbmrl.robots.quantities import Limit
from ros_mbmrl.robots.spec import TORQUE_SHARE, Envelope, LiveSensor, Robot


def test_arrays_of_the_limits(robot: Robot) -> None:
    limits = (Limit("push", "N", -3.0, 2.0, 5.0), Limit("lift", "N", 1.0, 4.0, 10.0))
    spec = replace(robot.spec, action=limits, period=0.2)
    assert spec.action_low.tolist() == [-3.0, 1.0]
    assert spec.action_high.tolist() == [2.0, 4.0]
    assert spec.action_step.tolist() == [1.0, 2.0]
    assert spec.rest.tolist() == [0.0, 1.0]  # no lift is not possible


@pytest.mark.parametrize(
    ("unit", "field"), [("N m", "effort"), (TORQUE_SHARE, "effort"), ("rad/s", "velocity")]
)
def test_commands_travel_by_their_unit(robot: Robot, unit: str, field: str) -> None:
    spec = replace(robot.spec, action=(Limit("push", unit, -1.0, 1.0, 1.0),))
    assert spec.command_field == field


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"arena": (-1.0, 1.0, -1.0, 1.0), "margin": 1.0}, "has no room inside a margin of 1.0 m"),
        ({"battery_low": 3.0, "battery_empty": 3.1}, "battery_empty is above battery_low"),
        ({"state_range": {"x": (2.0, 2.0)}}, "state_range: x: expected low < high"),
        ({"max_turn_rate": -1.0}, "expected numbers above 0"),
    ],
)
def test_an_envelope_that_is_none_is_refused(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Envelope(0.25, 0.25, 25.0, **wrong)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"change_weights": (1.0,)}, "toy: expected 4 change weights, got 1"),
        ({"channels": ()}, "toy: expected 4 channels, got 0"),
        ({"envelope": {"state_limits": {"z": (0.0, 1.0)}}}, "an unknown state 'z'"),
        ({"envelope": {"live_sensors": (LiveSensor(("z",)),)}}, "an unknown state 'z'"),
        ({"envelope": {"live_sensors": (LiveSensor(("x",), ("sail",)),)}}, "command 'sail'"),
    ],
)
def test_parts_that_do_not_fit_are_refused(robot: Robot, wrong: dict[str, Any], words: str) -> None:
    if "envelope" in wrong:
        wrong = {"envelope": Envelope(0.25, 0.25, 25.0, **wrong["envelope"])}
    with pytest.raises(ValueError, match=words):
        replace(robot.spec, **wrong)


def test_a_robot_that_says_nothing_more_stays_in_place_and_rests(robot: Robot) -> None:
    state = np.zeros(4)
    assert Robot.pose(robot, state) is Robot.battery(robot, state) is None
    assert Robot.tilt(robot, state) == 0.0
    assert Robot.retreat(robot, state, (1.0, 1.0)).tolist() == [0.0, 0.0]
    assert robot.follows_paths  # it knows x and y


def test_without_an_augmentation_segments_stay_as_they_are(robot: Robot) -> None:
    parts = torch.ones(2, 3, 1), torch.ones(2, 3, 2), torch.ones(2, 3, 4)
    assert robot.augmentation({})(*parts, torch.Generator()) == parts
    with pytest.raises(ValueError, match=r"toy knows no augmentation, got \['turn'\]"):
        robot.augmentation({"turn": 1.0})
