"""Rows of the table from what was seen, by hand."""

from __future__ import annotations

import math
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


def told(
    when: float, commanded: tuple[float, ...] = WALK, **more: Any
) -> tuple[float, dict[str, Any]]:
    rested = more.pop("rested_at", math.nan)
    return when, {"commanded": commanded, "rested_at": rested, "rejected": 0, **more}


STOPPED = Evidence(
    began=10.0,
    safety=[(9.9, "RUN", ""), (10.15, "STOP", "stale_state: 0.23 s old; other: x")],
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
    clipped = (10.01, "LIMITED", "command_rate: left_legs changes too fast")
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


def test_unsafe_commands_by_hand() -> None:
    step = float(SPEC.action_step[0])
    commands = [WALK, (20.0 + 1.5 * step, 20.0), (math.nan, 0.0), REST, (-1.0, 0.0), (57.0, 0.0)]
    seen = Evidence(0.0, driver=[told(0.1 * k, each) for k, each in enumerate(commands)])
    # too far at once, not a number, below the range, above it
    assert unsafe_commands(seen, SPEC) == 4


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
