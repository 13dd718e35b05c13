"""Figures of a run from the graph's recording: path, timing, adaptation, safety."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ros_mbmrl.adaptation import DOES_NOT_ADAPT
from ros_mbmrl.adaptation.diagnosis import Diagnosis
from ros_mbmrl.data.recording import read_messages
from ros_mbmrl.data.steps import task_of
from ros_mbmrl.errors import UserError
from ros_mbmrl.robots.paths import Path
from ros_mbmrl.robots.spec import Array
from ros_mbmrl.safety.types import Level

LEVELS_WITHOUT_EVENT = ("RUN", "LIMITED")


@dataclass(frozen=True)
class RecordedRun:
    """Control steps from the first command on, one row each.

    Times [s] count from the first command that moves the robot, as those of faults do. A robot
    that follows no path has no rows in xy, reference and cross_track.

    Args:
        times: of the steps, (T,) [s].
        xy: as measured, (T, 2) [m].
        reference: the path, (n, 2) [m].
        cross_track: distance from the reference, (T,) [m].
        period, adapt_ms, plan_ms: one for each step that was timed.
        missed: number of steps without a command in time.
        error_times: (n,) [s].
        errors: robust model error on the live window, before and after adaptation, (n, 2).
        accepted: whether the adaptation was accepted, (n,).
        refusals: number of refused adaptations, by reason.
        safety_events: number of steps above the levels without an event.
        worst_level: of the safety monitor.
        diagnosis: that was told last; None of a method that tells none.
    """

    times: Array
    xy: Array
    reference: Array
    cross_track: Array
    period: Array
    missed: int
    adapt_ms: Array
    plan_ms: Array
    error_times: Array
    errors: Array
    accepted: NDArray[np.bool_]
    refusals: Mapping[str, int]
    safety_events: int
    worst_level: str
    diagnosis: Diagnosis | None = None

    @property
    def adapts(self) -> bool:
        """Return whether the method adapts: whatever of its updates was refused."""
        return DOES_NOT_ADAPT not in self.refusals

    def figures(self, fault_at: float | None) -> dict[str, Any]:
        """Return the figures of `report.json` for this run."""
        error = np.abs(self.cross_track)
        before = self.times[: len(error)] < (math.inf if fault_at is None else fault_at)
        return {
            "cross_track_before_fault_m": _mean(error[before]),
            "cross_track_after_fault_m": _mean(error[~before]),
            "cross_track_max_m": float(error.max()) if len(error) else None,
            "missed_deadlines": self.missed,
            "period_mean_s": _mean(self.period),
            "period_p99_s": _percentile(self.period, 99),
            "plan_ms_p50": _percentile(self.plan_ms, 50),
            "plan_ms_p99": _percentile(self.plan_ms, 99),
            "adapt_ms_p50": _percentile(self.adapt_ms, 50),
            "adapt_ms_p99": _percentile(self.adapt_ms, 99),
            "safety_events": self.safety_events,
            "worst_level": self.worst_level,
            "model_error_before": _mean(self.errors[:, 0]),
            "model_error_after": _mean(self.errors[:, 1]),
            "accepted_fraction": _mean(self.accepted.astype(float)),
            "adapts": self.adapts,
            "refusals": dict(self.refusals),
            "steps": len(self.times),
            "cause": self.diagnosis and self.diagnosis.cause,
            "cause_probability": self.diagnosis and self.diagnosis.probability,
            "cause_since_s": self.diagnosis and self.diagnosis.since,
        }


def read_run(path: FilePath) -> RecordedRun:
    """Read one recording. Raises UserError if it has no command, or a path but no pose."""
    try:
        return _read_run(path)
    except UserError:
        raise
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise UserError(f"{path}: not as the graph records it ({error})") from None


def _read_run(path: FilePath) -> RecordedRun:
    poses: dict[int, tuple[float, float]] = {}
    reference: list[tuple[float, float]] = []
    commands: dict[int, bool] = {}  # by stamp, whether it moves the robot
    said: dict[str, dict[str, list[tuple[int, dict[str, str]]]]] = {}
    owner = ""
    for recorded in read_messages(path):
        name, message = recorded.topic.rsplit("/", 1)[-1], recorded.message
        if name == "odom":
            point = message.pose.pose.position
            poses[_stamp(message)] = (point.x, point.y)
        elif name == "reference":
            reference = [(p.pose.position.x, p.pose.position.y) for p in message.poses]
        elif recorded.topic.endswith("command/safe"):
            stamp = _stamp(message)
            commands[stamp] = commands.get(stamp, False) or _moves(message)
            owner = recorded.topic.removesuffix("/command/safe").strip("/")
        elif name in ("diagnostics", "adaptation"):
            for line in message.status:
                values = {pair.key: pair.value for pair in line.values}
                said.setdefault(line.hardware_id, {}).setdefault(task_of(line), []).append(
                    (_stamp(message), values)
                )
    lines = said.get(owner, {})  # other robots of the domain publish on /diagnostics, too
    if not commands or (reference and not poses):
        what = "odom" if commands else "command/safe"
        raise UserError(f"{path}: nothing on {what}: not a run of the adapt graph")
    first = min(commands)
    origin = min((stamp for stamp, moves in commands.items() if moves), default=first)
    if reference:
        return _assemble(first, origin, poses, reference, lines)
    return _assemble(first, origin, dict.fromkeys(commands), [], lines)


def _follow(points: Array, reference: list[tuple[float, float]]) -> Array:
    """Return distances (n,) [m] of the points (T, 2) from the path, up to its end."""
    path, progress = Path.from_points(reference), 0.0
    cross_track = []
    for point in points:
        progress, error = path.project(point, progress)
        cross_track.append(error)
        if path.finished(progress):
            break
    return np.array(cross_track)


def _assemble(
    first: int,
    origin: int,
    poses: Mapping[int, tuple[float, float] | None],
    reference: list[tuple[float, float]],
    lines: Mapping[str, list[tuple[int, dict[str, str]]]],
) -> RecordedRun:
    """Assemble the run.

    Args:
        first: stamp of the first command [ns].
        origin: stamp that times count from [ns].
        poses: by the stamp of the step; not used without a reference.
        reference: points of the path.
        lines: of diagnostics, by name.
    """
    stamps = sorted(stamp for stamp in poses if stamp >= first)
    xy = np.array([poses[stamp] for stamp in stamps if reference]).reshape(-1, 2)
    cross_track = _follow(xy, reference) if reference else np.empty(0)
    count = len(cross_track) if reference else len(stamps)

    def column(line: str, key: str) -> Array:
        rows = [float(v[key]) for stamp, v in lines.get(line, []) if stamp >= first]
        values = np.array(rows, dtype=np.float64)
        return values[np.isfinite(values)]

    adaptation = [(s, v) for s, v in lines.get("dynamics: adaptation", []) if s >= first]
    reasons = [v["reason"] for _, v in adaptation if v["accepted"] != "True"]
    kinds = [reason.split(":")[0].lstrip("0123456789 ") for reason in reasons]
    # After the driver has ended, the safety node holds: that does not belong to the run.
    last = max((s for s, _ in lines.get("driver: timing", [])), default=first)
    said = [v for s, v in lines.get("safety: state", []) if first <= s < last]
    events = [
        v["level"]
        for v in said
        if v["level"] not in LEVELS_WITHOUT_EVENT and not v["reasons"].startswith("starting: ")
    ]
    return RecordedRun(
        times=(np.array(stamps[:count]) - origin) * 1e-9,
        xy=xy[:count],
        reference=np.array(reference).reshape(-1, 2),
        cross_track=cross_track,
        period=column("driver: timing", "period_s"),
        missed=int(column("driver: timing", "missed").sum()),
        adapt_ms=column("controller: timing", "adapt_ms"),
        plan_ms=column("controller: timing", "plan_ms"),
        error_times=(np.array([s for s, _ in adaptation]) - origin) * 1e-9,
        errors=np.array(
            [(float(v["error_before"]), float(v["error_after"])) for _, v in adaptation]
        ).reshape(-1, 2),
        accepted=np.array([v["accepted"] == "True" for _, v in adaptation], dtype=bool),
        refusals={kind: kinds.count(kind) for kind in sorted(set(kinds))},
        safety_events=len(events),
        worst_level=max(events, key=_rank, default="RUN"),
        diagnosis=_told(adaptation[-1][1], origin * 1e-9) if adaptation else None,
    )


def _told(values: Mapping[str, str], origin: float) -> Diagnosis | None:
    """Return the diagnosis of an adaptation's line, since seconds after `origin` [s]."""
    if not values.get("cause"):
        return None
    return Diagnosis(values["cause"], float(values["probability"]), float(values["since"]) - origin)


def _moves(command: Any) -> bool:
    return any(any(getattr(command, name)) for name in ("position", "velocity", "effort"))


def _rank(level: str) -> int:
    return Level.__members__.get(level, Level.LATCHED)  # another version's level: the worst


def _stamp(message: Any) -> int:
    stamp = message.header.stamp
    return int(stamp.sec) * 1_000_000_000 + int(stamp.nanosec)


def _mean(values: Array) -> float | None:
    return float(values.mean()) if len(values) else None


def _percentile(values: Array, percent: float) -> float | None:
    return float(np.percentile(values, percent)) if len(values) else None
