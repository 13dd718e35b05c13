"""Rows of the table from what was seen, by hand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from ros_mbmrl.faults.catalogue import ENDS, GOES_ON, REFUSED, STOPS, Fault
from ros_mbmrl.faults.rows import (
    Evidence,
    detection,
    moved,
    row,
    stop_seconds,
    summary,
    unsafe_commands,
)
from ros_mbmrl.robots.hexapod import SPEC

WALK, REST = (20.0, 20.0), (0.0, 0.0)
SLOW, FAST = (5.0, 5.0), (50.0, 50.0)  # farther apart than one step


def told(
    when: float, commanded: tuple[float, ...] = WALK, **more: Any
) -> tuple[float, dict[str, Any]]:
    """Return a report of the driver; by default the plant was given one command, just now."""
    known = {"given": ((when, *commanded),), "stamp_s": when, "rested_at": math.nan, "rejected": 0}
    return when, {"commanded": commanded, **known, **more}


def given(*periods: Sequence[tuple[float, ...]]) -> Evidence:
    """Return what is seen of commands that the plant was given, period by period."""
    reports = []
    for k, commands in enumerate(periods):
        at = tuple((0.1 * k + 0.02 * n, *command) for n, command in enumerate(commands))
        reports.append(told(0.1 * k, commands[-1] if commands else WALK, given=at))
    return Evidence(0.0, driver=reports)


STOPPED = Evidence(
    began=10.0,
    safety=[(9.9, "RUN", "", 9.9), (10.15, "STOP", "stale_state: 0.23 s old; other: x", 10.2)],
    driver=[told(9.9), told(10.0), told(10.2, REST, rested_at=10.17)],
    recovered=True,
)


def test_a_fault_that_stops_the_robot() -> None:
    made = row(Fault("topic", "odom", "silent", STOPS), "twin", STOPPED, SPEC)
    assert made["detected_by"] == "safety: stale_state, other"
    assert made["detect_s"] == pytest.approx(0.15)
    assert made["stop_s"] == pytest.approx(0.17)
    assert made["unsafe_commands"] == 0
    assert made["passed"]


@pytest.mark.parametrize(
    "changed",
    [
        {"recovered": False},
        {"lost_record": 1.2},
        {"safety": []},
        {"driver": [told(9.9), told(10.2, REST, rested_at=10.3)]},
        {"driver": [told(9.9), told(10.2, (900.0, 0.0), rested_at=10.1)]},
    ],
)
def test_what_fails(changed: dict[str, Any]) -> None:
    seen = replace(STOPPED, **changed)
    made = row(Fault("topic", "odom", "silent", STOPS), "twin", seen, SPEC)
    assert not made["passed"]
    assert summary([made])["failed"] == ["twin: odom: silent"]


def test_a_clipped_command_is_no_sign() -> None:
    clipped = (10.01, "LIMITED", "command_rate: left_legs changes too fast", 10.0)
    assert detection(replace(STOPPED, safety=[clipped, *STOPPED.safety])) == (
        10.15,
        "safety: stale_state, other",
    )


def test_counters_that_rise_are_a_sign_and_those_that_stand_are_not() -> None:
    seen = replace(STOPPED, safety=[], driver=[told(9.9, rejected=4), told(10.1, rejected=4)])
    assert detection(seen) is None
    seen = replace(seen, driver=[told(9.9, rejected=4), told(10.1, rejected=5)])
    assert detection(seen) == (10.1, "driver: rejected")
    seen = replace(
        seen, counters=[(9.9, "safety: repeated", 1.0), (10.05, "safety: repeated", 3.0)]
    )
    assert detection(seen) == (10.05, "safety: repeated")


def test_a_robot_that_rested_before_rests() -> None:
    assert stop_seconds(replace(STOPPED, driver=[told(10.1, REST, rested_at=8.0)])) == 0.0
    assert stop_seconds(replace(STOPPED, driver=[told(10.1)])) is None


def test_an_emulated_robot_is_asked_itself() -> None:
    seen = replace(STOPPED, driven=[(9.0, True), (10.24, False), (12.0, True)])
    assert stop_seconds(seen) == pytest.approx(0.24)


def test_a_twin_that_has_gone_does_not_move() -> None:
    seen = Evidence(10.0, ended=[(10.1, "driver ended with status -9")], at_rest=10.0)
    made = row(Fault("process", "driver", "SIGKILL", ENDS), "processes", seen, SPEC)
    assert (made["stop_s"], made["detected_by"]) == (0.0, "supervisor: driver ended with status -9")
    assert made["passed"]


def test_an_end_that_comes_late_is_counted_from_when_it_came() -> None:
    """A full disk is met when the next chunk is written; what else is noticed before is not it."""
    full, signs = Fault("machine", "", "disk full", ENDS), [(10.2, "controller: dropped", 1.0)]
    ended = [(12.1, "recorder ended with status 1")]
    seen = Evidence(10.0, ended=ended, at_rest=12.3, counters=[(9.0, *signs[0][1:-1], 0.0), *signs])
    made = row(full, "processes", seen, SPEC)
    assert (made["detect_s"], made["ended_s"], made["passed"]) == (0.2, 2.1, True)
    assert not row(full, "processes", replace(seen, at_rest=12.4), SPEC)["passed"]


def test_unsafe_commands_by_hand() -> None:
    commands = [WALK, FAST, SLOW, (math.nan, 0.0), REST, (-1.0, 0.0), (57.0, 0.0)]
    # too far at once, not a number, below the range, above it
    assert unsafe_commands(given(*([each] for each in commands)), SPEC) == 4


@pytest.mark.parametrize(
    ("periods", "count"),
    [
        ([[FAST], [REST, SLOW]], 0),  # rest between two reports makes nothing unsafe
        ([[FAST], [SLOW]], 1),
        ([[SLOW], [(57.0, 5.0), REST], [SLOW]], 1),  # seen, though it was replaced at once
        ([[SLOW], [SLOW, FAST, SLOW]], 2),
        ([[SLOW], [REST, FAST]], 1),  # also from a stop of the driver's own
        ([[], [SLOW]], 0),
        ([[FAST], [], [SLOW]], 0),  # safety has taken two steps, of which one did not arrive
        ([[SLOW], [SLOW], [FAST]], 1),  # but a command that is repeated gains no steps
    ],
)
def test_every_command_counts_not_only_the_last_of_a_period(periods: Any, count: int) -> None:
    assert unsafe_commands(given(*periods), SPEC) == count


def test_commands_from_before_the_fault_do_not_count() -> None:
    seen = given([FAST], [SLOW], [SLOW, FAST])
    assert unsafe_commands(seen, SPEC) == 2
    assert unsafe_commands(replace(seen, began=0.11), SPEC) == 1


@pytest.mark.parametrize(
    ("answers", "count"),
    [
        ([(0.05, "RUN", 0.0), (0.15, "RUN", 0.1)], 0),
        ([(0.05, "RUN", 0.0), (0.15, "HOLD", 0.1)], 1),
        ([(0.05, "RUN", 0.0), (0.15, "RETURN", 0.1)], 0),
        ([(0.05, "RUN", 0.0), (0.12, "RUN", 0.1), (0.15, "LATCHED", 0.1)], 0),  # it came before
        ([(0.05, "HOLD", 0.0), (0.35, "RUN", 0.1)], 1),  # in the first period; seen late is no lie
        ([(-0.05, "LATCHED", -0.1)], 2),  # it stands as long as nothing else is said
    ],
)
def test_motion_during_a_stop_is_unsafe(answers: Any, count: int) -> None:
    safety = [(when, level, "", stamp) for when, level, stamp in answers]
    assert unsafe_commands(replace(given([WALK], [WALK]), safety=safety), SPEC) == count
    assert unsafe_commands(replace(given([REST], [REST]), safety=safety), SPEC) == 0


def test_distance_and_energy() -> None:
    poses = [(10.0 + 0.1 * k, 0.03 * k, 0.0, 0.0) for k in range(11)]  # 0.3 m/s
    distance, energy = moved(Evidence(10.0, poses=poses))
    assert distance == pytest.approx(0.3)
    assert energy == pytest.approx(1e3 * 0.5 * 0.03 * 0.09)


def test_a_refusal_is_all_that_is_asked_of_a_start() -> None:
    fault = Fault("start", "", "weights cut short", REFUSED)
    assert row(fault, "start", Evidence(1.0, refused=(2.0, "start: no")), SPEC)["passed"]
    assert not row(fault, "start", Evidence(1.0), SPEC)["passed"]


def test_going_on_needs_no_stop() -> None:
    seen = replace(STOPPED, driver=[told(10.1)])
    assert row(Fault("topic", "odom", "duplicated", GOES_ON), "twin", seen, SPEC)["passed"]


def test_commands_that_came_to_a_played_robot_count() -> None:
    arrived = [(9.9, False), (10.1, False), (10.2, True)]
    assert unsafe_commands(replace(STOPPED, arrived=arrived), SPEC) == 1


def test_a_late_driver_is_no_sign_where_the_robot_runs_in_real_time() -> None:
    late = [told(9.9, overruns=0), told(10.05, overruns=1), *STOPPED.driver[1:]]
    seen = replace(STOPPED, driver=late, mass=None)
    fault = Fault("robot", "/odom", "silent", STOPS)
    assert row(fault, "topics", seen, SPEC)["detected_by"] == "safety: stale_state, other"
    assert row(fault, "twin", seen, SPEC)["detected_by"] == "driver: overruns"


def test_without_a_mass_there_is_no_energy() -> None:
    poses = [(10.0 + 0.1 * k, 0.03 * k, 0.0, 0.0) for k in range(11)]
    assert moved(Evidence(10.0, poses=poses, mass=None)) == (pytest.approx(0.3), None)
