"""Checks of a run's rows, which yield marks with reasons.

Checks that hold for every robot are here; those of one robot are in a function of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ros_mbmrl.data.rollout import Mark, Rollout
from ros_mbmrl.plugins import Registry, expected, imported
from ros_mbmrl.robots.spec import Array, RobotSpec

Flags = NDArray[np.bool_]

SHORTEST, LONGEST = 0.5, 1.5  # periods between two trusted steps, as in the live window
UNIT = 0.05  # allowed deviation of a quaternion's length from one
# How far beyond its range a command is accepted, in widths of the range. A fifth of the real logs'
# commands are above the hexapod's range, by up to .58 of its width.
BEYOND = 0.75

# robot -> "module:function" of (measurement, times, source_times, period); a robot needs none.
CHECKS: Mapping[str, str] = Registry(
    "check of robot",
    "checks",
    {"hexapod": "ros_mbmrl.data.velociroach_quality:inspect"},
    lambda entry: entry.value,
)


@dataclass(frozen=True)
class Finding:
    """A reason, its mark, and the intervals (n-1,) between rows that it spoils."""

    reason: str
    mark: Mark
    intervals: Flags


def inspect(
    spec: RobotSpec, measurement: Array, times: Array, source_times: Array
) -> list[Finding]:
    """Check one run of a robot.

    Args:
        spec: of the robot.
        measurement: (n, dm) in the order of its specification.
        times: of the rows, (n,) [s].
        source_times: when the oldest part of each row was measured, (n,) [s].
    """
    twice = (np.diff(source_times) == 0) & (np.diff(times) != 0)
    bad = any_of(~np.isfinite(measurement))
    return [
        *timing(times, source_times, spec.period, "source"),
        Finding("source stamped twice", Mark.REPEAT, twice),
        Finding("not a finite number", Mark.WILD, bad[:-1] | bad[1:]),
        *attitude(spec, measurement),
        *own(spec, measurement, times, times),
    ]


def timing(times: Array, source_times: Array, period: float, source: str) -> list[Finding]:
    """Find steps that are too short or too long.

    Args:
        times, source_times: of the rows, and of their source, (n,) [s].
        period: of control [s].
        source: its name in the findings.
    """
    step, source_step = np.diff(times), np.diff(source_times)
    late = off_period(step, period)
    # A source stamped twice is a repeat; the long step that follows it is a gap.
    source_late = off_period(source_step, period) & (source_step != 0) & ~late
    return [
        Finding("step time outside 0.5 to 1.5 periods", Mark.GAP, late),
        Finding(f"{source} time step outside 0.5 to 1.5 periods", Mark.GAP, source_late),
    ]


def inspect_rollout(spec: RobotSpec, rollout: Rollout) -> list[Finding]:
    """Check a rollout by its own content: times and states."""
    step = np.diff(rollout.times)
    back = ~(step > 0)
    bad = any_of(~np.isfinite(rollout.states))
    return [
        Finding("time does not go on", Mark.GAP, back),
        Finding("step time outside 0.5 to 1.5 periods", Mark.GAP, off_period(step, spec.period)),
        Finding("not a finite number", Mark.WILD, bad[:-1] | bad[1:]),
    ]


def impossible(spec: RobotSpec, actions: NDArray[Any]) -> Flags:
    """Return which actions (T, da) cannot have acted: not finite, or far out of the range."""
    low, high = np.array([(limit.low, limit.high) for limit in spec.action]).T
    room = BEYOND * (high - low)
    return any_of(~((actions >= low - room) & (actions <= high + room)))


def off_period(steps: Array, period: float) -> Flags:
    """Return which steps [s] are far from the period [s]."""
    return np.asarray(~((steps >= SHORTEST * period) & (steps <= LONGEST * period)), dtype=np.bool_)


def attitude(spec: RobotSpec, measurement: Array) -> list[Finding]:
    """Find invalid quaternions, wherever the robot measures one."""
    columns = [
        [k for k, where in enumerate(spec.channels) if where.rpartition(".")[0] == message]
        for message in _orientations(spec.channels)
    ]
    bad: Flags = np.zeros(len(measurement), dtype=np.bool_)
    for four in columns:
        length: Array = np.linalg.norm(measurement[:, four], axis=1)
        bad |= np.abs(length - 1) > UNIT
    return [Finding("quaternion not of unit length", Mark.WILD, bad[:-1] | bad[1:])]


def own(spec: RobotSpec, measurement: Array, times: Array, source_times: Array) -> list[Finding]:
    """Run the checks of this robot and its sensors, if there are any."""
    if spec.name not in CHECKS:
        return []
    value = CHECKS[spec.name]
    check: Callable[..., list[Finding]] = imported(value)
    expected(value, "a function", callable(check), check)
    return check(measurement, times, source_times, spec.period)


def spread(findings: Sequence[Finding], length: int) -> NDArray[np.uint8]:
    """Return marks (length,) of the transitions that the findings touch.

    A state holds finite differences over the interval that led to it, so a spoilt interval spoils
    its own transition and the one after it.
    """
    marks = np.zeros(length, dtype=np.uint8)
    for finding in findings:
        spoilt = finding.intervals.copy()
        spoilt[1:] |= finding.intervals[:-1]
        marks[spoilt] |= np.uint8(finding.mark)
    return marks


def any_of(flags: Flags) -> Flags:
    """Return which rows have a flag."""
    return np.asarray(flags.any(axis=1), dtype=np.bool_)


def _orientations(channels: Sequence[str]) -> list[str]:
    """Return the channels of quaternions that are measured completely."""
    messages = dict.fromkeys(where.rpartition(".")[0] for where in channels)
    return [
        message
        for message in messages
        if message.endswith("orientation") and {f"{message}.{a}" for a in "wxyz"} <= set(channels)
    ]
