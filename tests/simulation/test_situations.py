from __future__ import annotations

import math
from typing import Any

import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.robots.running import BACKWARD, Course
from ros_mbmrl.simulation.situations import (
    POSSIBLE,
    Factors,
    RandomParameters,
    Situation,
    Terrain,
    TimedFault,
    check_situation,
    postponed,
)


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: TimedFault(""), "a name"),
        (lambda: TimedFault("x", begin=-1.0), "0 <= begin < end"),
        (lambda: TimedFault("x", begin=2.0, end=2.0), "0 <= begin < end"),
        (lambda: TimedFault("x", begin=math.nan), "0 <= begin < end"),
        (lambda: Terrain("lava"), "one of flat"),
        (lambda: Terrain("slope", angle=1.0), "at most"),
        (lambda: Terrain("hill", angle=0.1), "expected 0"),
        (lambda: Terrain("flat", seed=3), "seed"),
        (lambda: Factors(mass=0.0), "mass: expected a factor above 0"),
        (lambda: Situation(force=(0.0, math.nan, 0.0)), "force: expected three"),
        (lambda: Situation(goal=(0.0, 0.0)), "goal: expected three"),  # type: ignore[arg-type]
        (lambda: Situation(force_begin=-1.0), "force_begin"),
        (lambda: Situation(masses=(1.0, 0.0)), "masses: expected numbers above 0"),
        (lambda: RandomParameters(-1), "seed: expected 0 or more"),
        (lambda: RandomParameters(0, spread=0.0), "spread: expected more than 0"),
    ],
)
def test_wrong_values_fail_at_once(make: Any, expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        make()


@pytest.mark.parametrize(
    ("robot", "situation", "expected"),
    [
        ("hexapod", Situation(), "unknown simulated robot 'hexapod'"),
        ("ant", Situation(Terrain("hill")), "unknown terrain 'hill'"),
        ("ant", Situation(faults=(TimedFault("bfoot_disabled"),)), "unknown fault"),
        ("ant", Situation(force=(0.0, 0.0, 1.0)), "cannot be pushed"),
        ("half_cheetah", Situation(goal=(0.0, 0.0, 0.0)), "has none"),
        ("arm_7dof", Situation(course=BACKWARD), "course: robot 'arm_7dof' has none"),
        ("half_cheetah", Situation(course=Course(0.5)), "expected 0 or pi, got 0.5"),
        ("ant", Situation(masses=(1.0,)), "masses: robot 'ant' has other physics"),
    ],
)
def test_what_a_robot_cannot_be_put_into(robot: str, situation: Situation, expected: str) -> None:
    with pytest.raises(UserError, match=expected):
        check_situation(robot, situation)


def test_what_a_robot_can_be_put_into() -> None:
    assert set(POSSIBLE["half_cheetah"].faults) == {
        f"{leg}{part}_disabled" for leg in "bf" for part in ("thigh", "shin", "foot")
    }
    assert POSSIBLE["ant"].faults == tuple(f"leg_{k}_crippled" for k in (1, 2, 3, 4))
    for robot, possible in POSSIBLE.items():
        check_situation(robot, Situation(faults=tuple(map(TimedFault, possible.faults))))


def test_what_is_postponed_keeps_its_length() -> None:
    force = (0.0, 0.0, -4.0)
    given = Situation(faults=(TimedFault("x", 1.0, 3.0),), force=force, force_begin=2.0)
    later = Situation(faults=(TimedFault("x", 6.0, 8.0),), force=force, force_begin=7.0)
    assert postponed(given, 5.0) == later
    assert postponed(given, math.inf) == Situation()
