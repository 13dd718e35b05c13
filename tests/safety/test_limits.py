"""Limits of a user's own: tighter, never wider, and one line about what is wrong."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ros_mbmrl.robots.hexapod import TURN, Hexapod
from ros_mbmrl.robots.pr2_arm import PR2Arm
from ros_mbmrl.robots.spec import Envelope
from ros_mbmrl.safety.limits import narrowed
from ros_mbmrl.safety.monitor import SafetyMonitor
from ros_mbmrl.safety.types import Health, Level, SafetyConfig


def standing(x: float) -> np.ndarray:
    state = np.zeros(24)
    state[0], state[23] = x, 4.0
    state[[6, 8, 10, 15, 17]] = 1.0
    return state


def test_a_narrower_range_and_arena_hold_and_the_robot_itself_stays_as_it_was() -> None:
    robot = Hexapod()
    tight = narrowed(robot, {"left_legs": [0.0, 10.0], "arena_x": [-1, 1], "vz": [-2.0, 2.0]})
    monitor = SafetyMonitor(tight, SafetyConfig(start_updates=1))
    checked = monitor.update(0.1, np.full(2, 4.0 * TURN), standing(0.0), Health())
    assert checked.action.tolist() == [10.0, 4.0 * TURN]
    checked = monitor.update(0.2, np.full(2, 4.0 * TURN), standing(0.9), Health(state_age=0.1))
    assert checked.level is Level.HOLD  # 0.9 m at once
    assert monitor.update(9.9, None, standing(1.1), Health()).level is Level.LATCHED
    assert tight.spec.envelope.state_limits["vz"] == (-2.0, 2.0)
    assert robot.spec is Hexapod.spec
    assert robot.spec.envelope.arena == (-3.0, 3.0, -3.0, 3.0)


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"colour": [0, 1]}, "colour: expected one of left_legs, right_legs, x, "),
        ({"left_legs": [5.0, 3.0]}, "left_legs: expected low below high, got 5 and 3"),
        ({"left_legs": [math.nan, 3.0]}, "left_legs: expected low below high, got nan and 3"),
        ({"left_legs": [0.0, 60.0]}, "left_legs: expected a range within 0 to 56.5487, got 0 to 6"),
        ({"left_legs": [1.0, 3.0]}, "left_legs: expected a range with 0 in it: standing still"),
        ({"left_legs": 3.0}, r"left_legs: expected \[low, high\], got 3.0"),
        ({"left_legs": ["a", "b"]}, r"left_legs: expected \[low, high\]"),
        ({"arena_y": [-4.0, 1.0]}, "arena_y: expected a range within -3 to 3"),
        ({"arena_y": [0.0, 0.5]}, "has no room inside a margin of 0.3 m"),
    ],
)
def test_a_wrong_limit_is_named(limits: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        narrowed(Hexapod(), limits)  # type: ignore[arg-type]


def test_a_joint_may_not_go_further_than_the_robots_own_limit() -> None:
    tight = narrowed(PR2Arm(), {"elbow_flex": [-1.5, -0.2]})
    assert tight.spec.envelope.state_limits["elbow_flex"] == (-1.5, -0.2)
    with pytest.raises(ValueError, match=r"elbow_flex: expected a range within -2\.42"):
        narrowed(PR2Arm(), {"elbow_flex": [-3.0, -0.2]})


def test_a_robots_own_limits_are_checked_too() -> None:
    with pytest.raises(ValueError, match="state_limits: vz: expected low < high, got 1 and -1"):
        Envelope(0.25, 0.25, 25.0, state_limits={"vz": (1, -1)})
    with pytest.raises(ValueError, match="max_speed, max_turn_rate: expected numbers above 0"):
        Envelope(0.25, 0.25, 25.0, max_speed=0.0)
