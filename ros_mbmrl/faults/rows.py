"""Rows of the table of faults, made from what was seen. No ROS, no clock of its own."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ros_mbmrl.faults.catalogue import (
    ENDS,
    GOES_ON,
    LIMITED,
    STOPS,
    UNHARMED,
    Fault,
)
from ros_mbmrl.faults.robot_faults import GRAPH as TOPICS
from ros_mbmrl.robots.spec import Array, RobotSpec
from ros_mbmrl.safety.rules import CLIPPING
from ros_mbmrl.safety.types import Level

MASS = 0.030  # of the hexapod [kg]; for the energy that it still had
SLACK = 1e-6  # of a command's range, for rounding
COUNTERS = ("rejected", "timeouts", "missed_deadlines", "overruns")


@dataclass(frozen=True)
class Evidence:
    """Observations of one fault.

    began: when it set in, on the steady clock [s]. safety: (time, level, reasons, stamp [s] of the
    state that it answers). driver: (time, values of its timing). counters: (time, name, value) of
    what other nodes count. poses: (time, x, y, yaw). ended: (time, line) what the supervisor said
    of processes that ended. driven: (time, whether) what the emulated robot says, if there is one.
    at_rest: when the driver said at its end that the robot rests, or when it was stopped itself
    and the twin with it. refused: why, if that is what was asked. lost_record: [s]. recovered:
    whether it went on after a reset, without a restart. mass: of the robot [kg]; None: not known.
    """

    began: float
    safety: Sequence[tuple[float, str, str, float]] = ()
    driver: Sequence[tuple[float, Mapping[str, Any]]] = ()
    counters: Sequence[tuple[float, str, float]] = ()
    poses: Sequence[tuple[float, float, float, float]] = ()
    ended: Sequence[tuple[float, str]] = ()
    driven: Sequence[tuple[float, bool]] = ()
    arrived: Sequence[tuple[float, bool]] = ()
    at_rest: float | None = None
    refused: tuple[float, str] | None = None
    lost_record: float | None = None
    recovered: bool | None = None
    mass: float | None = MASS


def row(fault: Fault, graph: str, seen: Evidence, spec: RobotSpec) -> dict[str, Any]:
    """One row of `mbmrl faults`. passed: whether it came as the catalogue expects."""
    # A robot that is played runs in real time: a late driver is the machine's, not the fault's.
    detected = detection(seen, COUNTERS[:-1] if graph == TOPICS else COUNTERS)
    stop = stop_seconds(seen)
    unsafe = unsafe_commands(seen, spec)
    distance, energy = moved(seen)
    made = {
        "fault": fault.name,
        "graph": graph,
        "expected": fault.expected,
        "bound_s": fault.bound,
        "detected": detected is not None,
        "detected_by": detected[1] if detected else "",
        "detect_s": round(detected[0] - seen.began, 4) if detected else None,
        "ended_s": min((round(w - seen.began, 4) for w, _ in seen.ended), default=None),
        "stop_s": None if stop is None else round(stop, 4),
        "unsafe_commands": unsafe,
        "distance_m": distance,
        "energy_mj": energy,
        "lost_record_s": seen.lost_record,
        "recovered": seen.recovered,
    }
    return {**made, "passed": passed(made)}


def passed(made: Mapping[str, Any]) -> bool:
    """Whether what has to come of a fault came of it."""
    stop, expected = made["stop_s"], made["expected"]
    held = (made["detected"] or expected == UNHARMED) and made["unsafe_commands"] == 0
    lost = made["lost_record_s"]
    held &= lost is None or lost <= 1.0
    if expected == STOPS:
        held &= stop is not None and stop <= made["bound_s"]
    if expected == ENDS:  # what harms nobody may end it later: a recorder's full disk
        late = made.get("ended_s") or made["detect_s"] or 0.0
        held &= stop is not None and stop <= made["bound_s"] + late
    if expected in (STOPS, LIMITED, GOES_ON, UNHARMED):
        held &= made["recovered"] is not False
    return bool(held)


def detection(seen: Evidence, counted: Sequence[str] = COUNTERS) -> tuple[float, str] | None:
    """The first sign of the fault: when, and who said what. counted: of the driver's timing."""
    signs: list[tuple[float, str]] = []
    for when, level, reasons, _ in seen.safety:
        rules = [reason.partition(":")[0] for reason in reasons.split("; ")]
        rules = [rule for rule in rules if rule not in CLIPPING]  # as on any good day
        if when >= seen.began and level != "RUN" and rules:
            signs.append((when, f"safety: {', '.join(rules[:2])}"))
            break
    before: dict[str, float] = {}
    for when, values in seen.driver:
        for name in counted:
            value = float(values.get(name, 0))
            if when >= seen.began and value > before.get(name, value):
                signs.append((when, f"driver: {name.replace('_', ' ')}"))
            before[name] = max(value, before.get(name, value))
    for when, name, value in seen.counters:
        if when >= seen.began and value > before.get(name, value):
            signs.append((when, name))
        before[name] = max(value, before.get(name, value))
    signs += [(when, f"supervisor: {line}") for when, line in seen.ended if when >= seen.began]
    if seen.refused:
        signs.append(seen.refused)
    return min(signs, default=None)


def stop_seconds(seen: Evidence) -> float | None:
    """From the fault to when the robot was told to rest, or told itself; None: it was not.

    0 if it was at rest already.

    An emulated robot is asked itself.
    """
    if seen.driven:
        rests = [when for when, driven in seen.driven if when >= seen.began and not driven]
        return min(rests) - seen.began if rests else None
    told = [values["rested_at"] for when, values in seen.driver if when >= seen.began]
    rests = [when for when in told if math.isfinite(when)]
    rests += [] if seen.at_rest is None else [seen.at_rest]
    return max(0.0, min(rests) - seen.began) if rests else None


def unsafe_commands(seen: Evidence, spec: RobotSpec) -> int:
    """Count the unsafe commands that the plant was given from the fault on.

    Unsafe is: not finite, out of range, changed faster than the rate, or motion during a stop.
    Each command is compared with the one that the plant was given before it, be it the driver's
    own stop, not with the one of the last report. The commands of a driver's last period are not
    known if it was killed.
    """
    count, since = 0, 0.0
    last: Array | None = None
    for when, values in seen.driver:
        stamp = values["stamp_s"]
        if last is None and not values["given"]:
            last, since = np.array(values["commanded"], dtype=float), stamp
        for at, *numbers in values["given"]:
            action = np.array(numbers, dtype=float)
            # Safety takes a step a period, also for commands that do not arrive.
            steps = max(1, round((stamp - since) / spec.period))
            fine = _allowed(spec, action, last, steps)
            fine = fine and (_rests(spec, action) or not _rest_was_due(seen, stamp, when))
            count += at >= seen.began and not fine
            if np.isfinite(action).all():
                last, since = action, stamp
    return int(count) + sum(when >= seen.began and not safe for when, safe in seen.arrived)


def _allowed(spec: RobotSpec, action: Array, last: Array | None, steps: int) -> bool:
    """Return whether a command (da,) is in range, and in rate `steps` periods after `last`."""
    low, high, slack = (
        spec.action_low,
        spec.action_high,
        SLACK * (spec.action_high - spec.action_low),
    )
    # NaN is neither above nor below anything.
    ranged = bool(((action >= low - slack) & (action <= high + slack)).all())
    if not ranged or last is None or _rests(spec, action):  # braking is allowed at once
        return ranged
    return bool((np.abs(action - last) <= steps * spec.action_step + slack).all())


def _rests(spec: RobotSpec, action: Array) -> bool:
    """Return whether a command (da,) is to rest."""
    slack = SLACK * (spec.action_high - spec.action_low)
    return bool((np.abs(action - spec.rest) <= slack).all())


def _rest_was_due(seen: Evidence, stamp: float, when: float) -> bool:
    """Return whether safety let nothing but rest pass in the period of the state `stamp` [s].

    Answers belong to a period by their stamps, however late they were seen; where there is none,
    the newest one that came before the driver's report at `when` [s] stands.
    """
    answers = [level for _, level, _, answered in seen.safety if answered == stamp]
    answers = answers or [level for came, level, *_ in seen.safety if came <= when][-1:]
    return bool(answers) and all(Level[level] >= Level.HOLD for level in answers)


def moved(seen: Evidence) -> tuple[float | None, float | None]:
    """Distance from the fault on [m], and the largest kinetic energy meanwhile [mJ]."""
    after = [pose[:3] for pose in seen.poses if pose[0] >= seen.began]
    if len(after) < 3:
        return None, None
    times, x, y = np.array(after).T
    steps = np.hypot(np.diff(x), np.diff(y))
    # Over 50 ms or more: poses come with jitter.
    stride = max(1, round(0.05 / max(1e-3, float(np.median(np.diff(times))))))
    span = np.hypot(x[stride:] - x[:-stride], y[stride:] - y[:-stride])
    speed = span / np.maximum(times[stride:] - times[:-stride], 0.02)
    if seen.mass is None:
        return round(float(steps.sum()), 4), None
    energy = 0.5 * seen.mass * float(np.percentile(speed, 95)) ** 2 if len(speed) else 0.0
    return round(float(steps.sum()), 4), round(1e3 * energy, 3)


def summary(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Summarise the table in a few numbers."""
    stops = [r["stop_s"] for r in rows if r["expected"] == STOPS and r["stop_s"] is not None]
    lost = [r["lost_record_s"] for r in rows if r["lost_record_s"] is not None]
    return {
        "faults": len(rows),
        "detected": sum(r["detected"] for r in rows),
        "unsafe_commands": sum(r["unsafe_commands"] for r in rows),
        "stop_s_median": float(np.median(stops)) if stops else None,
        "stop_s_max": max(stops, default=None),
        "lost_record_s_max": max(lost, default=None),
        "not_recovered": [r["fault"] for r in rows if r["recovered"] is False],
        "failed": [f"{r['graph']}: {r['fault']}" for r in rows if not r["passed"]],
    }
