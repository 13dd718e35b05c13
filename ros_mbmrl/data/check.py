"""Check of a recording: gaps, clocks, commands, doubtful rows, loss by a kill."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from ros_mbmrl.data import dataset
from ros_mbmrl.data.from_recording import (
    actions_of,
    check_rates,
    findings_of,
    rollouts_of,
)
from ros_mbmrl.data.quality import LONGEST, impossible, inspect_rollout
from ros_mbmrl.data.recording import CHUNK_SECONDS
from ros_mbmrl.data.rollout import Mark, Rollout
from ros_mbmrl.data.skew import Skew, skew
from ros_mbmrl.data.steps import DIAGNOSTICS, MEASURED, PROPOSED, Run, named
from ros_mbmrl.errors import UserError
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.spec import Robot, RobotSpec

WORTH_HAVING = (PROPOSED, MEASURED, DIAGNOSTICS)
OURS = (PROPOSED, DIAGNOSTICS)  # what another program's run cannot have


@dataclass(frozen=True)
class Problem:
    """A kind of problem, how often it occurs, and a description."""

    kind: str
    count: int
    detail: str


@dataclass(frozen=True)
class Check:
    """Result of checking a recording or a data set.

    Args:
        path: of the recording or the data set.
        robot: its name.
        rate: of control [Hz].
        seconds: length [s].
        steps: control steps.
        rollouts: that it yields.
        transitions: in its rollouts.
        marked: transitions that are not used for training.
        problems: that were found.
        notes: remarks that are not problems.
        figures: further numbers, for JSON.
        unusable: why it yields no rollouts; empty if it does.
    """

    path: Path
    robot: str
    rate: float
    seconds: float
    steps: int
    rollouts: int
    transitions: int
    marked: int
    problems: tuple[Problem, ...]
    notes: tuple[str, ...] = ()
    figures: dict[str, Any] = field(default_factory=dict)
    unusable: str = ""

    @property
    def verdict(self) -> str:
        """Return ok, usable (with problems), or unusable."""
        if self.unusable:
            return "unusable"
        return "usable" if self.problems else "ok"


def check_run(run: Run) -> Check:
    """Check a recorded run."""
    robot = make_robot(run.robot)
    problems, notes = _file(run), []
    problems += _gaps(run, robot.spec.period)
    skews = []
    for clock, steps in groupby(run.steps, key=lambda step: step.clock):
        found = skew(list(steps), robot.spec.period)
        skews.append(found)
        problems += _clock(found, robot.spec.period)
        if clock:
            problems.append(Problem("clock restart", 1, f"the plant's clock began anew, {clock}."))
        if found.stepped:
            notes.append(f"stamps run at {1 / (1 + found.rate):.2f} of time: stepped, not paced")
    reasons = _reasons(run, robot)
    problems += [Problem("doubtful", n, f"{reason}: {n} steps") for reason, n in reasons.items()]
    problems += _commands(run, robot)
    if run.info.origin:
        notes.append(f"imported ({run.info.origin}): without proposals and diagnostics")
    rollouts, unusable = _rollouts(run)
    marks = np.concatenate([np.zeros(0, np.uint8), *(rollout.marks for rollout in rollouts)])
    figures = {
        "reasons": reasons,
        "skew": [each.__dict__ for each in skews],
        "offset_s_p50": _percentile(run, 50),
        "offset_s_p99": _percentile(run, 99),
        "lost_at_most_s": 0.0 if run.info.complete else CHUNK_SECONDS,
        "complete": run.info.complete,
    }
    return Check(
        path=run.path,
        robot=run.robot,
        rate=1 / run.period,
        seconds=_seconds(run),
        steps=len(run.steps),
        rollouts=len(rollouts),
        transitions=len(marks),
        marked=int((marks != 0).sum()),
        problems=tuple(problems),
        notes=tuple(notes),
        figures=figures,
        unusable=unusable,
    )


def check_dataset(folder: Path) -> Check:
    """Check a data set. Raises UserError if it is damaged."""
    data = dataset.read_dataset(folder)
    spec = make_robot(data.robot).spec
    marks = np.concatenate([np.zeros(0, np.uint8), *(each.marks for each in data.rollouts)])
    counts = {str(m.name).lower(): int((marks & np.uint8(m) != 0).sum()) for m in Mark if m}
    found: Counter[str] = Counter()
    for rollout in data.rollouts:
        for finding in inspect_rollout(spec, rollout):
            found[finding.reason] += int(finding.intervals.sum())
        found["command far out of range"] += int(impossible(spec, rollout.actions).sum())
    reasons = {reason: count for reason, count in found.items() if count}
    unusable = ""
    try:
        check_rates([data])
    except UserError as error:
        unusable = _without(folder, error)
    return Check(
        path=folder,
        robot=spec.name,
        rate=1 / data.period,
        seconds=data.seconds,
        steps=len(marks) + len(data.rollouts),
        rollouts=len(data.rollouts),
        transitions=len(marks),
        marked=int((marks != 0).sum()),
        problems=(
            *_holes(data.rollouts, spec.period),
            *(Problem("doubtful", n, f"{reason}: {n} steps") for reason, n in reasons.items()),
            *(Problem("marked", n, f"{name}: {n} steps") for name, n in counts.items() if n),
        ),
        notes=_beyond(spec, data.rollouts),
        figures={"reasons": reasons, "marks": counts},
        unusable=unusable,
    )


def check_together(checks: Sequence[Check]) -> list[Problem]:
    """Return the problems that prevent several from forming one data set."""
    problems = []
    robots = {check.robot: check.path for check in checks}
    rates = {f"{check.rate:.1f} Hz": check.path for check in checks}
    for kind, what in (("robots", robots), ("rates", rates)):
        if len(what) > 1:
            said = ", ".join(f"{value} ({path})" for value, path in what.items())
            problems.append(Problem(kind, len(what), f"not one data set: different {kind}: {said}"))
    return problems


def _file(run: Run) -> list[Problem]:
    problems = []
    if not run.info.complete:
        words = f"not closed by its recorder: at most its last {CHUNK_SECONDS:g} s is lost"
        problems.append(Problem("incomplete", 1, words))
    there = named(run.robot, run.info, WORTH_HAVING).values()
    wanted = [topic for topic in WORTH_HAVING if not (run.info.origin and topic in OURS)]
    missing = [topic for topic in wanted if topic not in there]
    if missing:
        words = f"nothing on {', '.join(missing)}"
        problems.append(Problem("missing topics", len(missing), words))
    if run.partial:
        words = f"{run.partial} steps of which a part was not recorded"
        problems.append(Problem("partial steps", run.partial, words))
    return problems


def _gaps(run: Run, period: float) -> list[Problem]:
    pairs = zip(run.steps[:-1], run.steps[1:], strict=True)
    gaps = [
        (after.time - before.time, before.time - run.steps[0].time)
        for before, after in pairs
        if after.clock == before.clock and after.time - before.time > LONGEST * period
    ]
    if not gaps:
        return []
    longest, where = max(gaps)
    words = f"{len(gaps)} gaps between steps, the longest {longest:.2f} s, {where:.1f} s in"
    return [Problem("gaps", len(gaps), words)]


def _holes(rollouts: Sequence[Rollout], period: float) -> list[Problem]:
    """Return the gaps between the rows of rollouts."""
    gaps = [
        (float(step), float(rollout.times[k] - rollout.times[0]), number)
        for number, rollout in enumerate(rollouts)
        for k, step in enumerate(np.diff(rollout.times))
        if step > LONGEST * period
    ]
    if not gaps:
        return []
    longest, where, number = max(gaps)
    words = f"{len(gaps)} gaps between rows, the longest {longest:.2f} s, {where:.1f} s in"
    return [Problem("gaps", len(gaps), words + f" rollout {number}" * (len(rollouts) > 1))]


def _beyond(spec: RobotSpec, rollouts: Sequence[Rollout]) -> tuple[str, ...]:
    """Return a note on commands that are out of the range but still accepted."""
    actions = np.concatenate([np.zeros((0, len(spec.action))), *(r.actions for r in rollouts)])
    low, high = np.array([(limit.low, limit.high) for limit in spec.action]).T
    outside = ((actions < low) | (actions > high)).any(axis=1) & ~impossible(spec, actions)
    if not outside.any():
        return ()
    return (f"{int(outside.sum())} commands are out of {spec.name}'s range, but not far: kept",)


def _clock(found: Skew, period: float) -> list[Problem]:
    if found.stepped:
        return []
    problems = [
        Problem("clock jump", 1, f"stamps and recorder {size:+.3f} s apart at {stamp:.1f} s")
        for stamp, size in found.jumps
    ]
    if abs(found.drift) > period / 2:
        words = f"clocks drift by {1e6 * found.rate:.0f} ppm, {found.drift:+.3f} s over the run"
        problems.append(Problem("clock drift", 1, words))
    return problems


def _reasons(run: Run, robot: Robot) -> dict[str, int]:
    """Count the steps that each reason spoils."""
    found: Counter[str] = Counter()
    for _, steps in groupby(run.steps, key=lambda step: step.clock):
        for finding in findings_of(robot, list(steps)):
            found[finding.reason] += int(finding.intervals.sum())
    return {reason: count for reason, count in found.items() if count}


def _commands(run: Run, robot: Robot) -> list[Problem]:
    told = sum(step.late or step.limited for step in run.steps)
    unknown = wild = 0
    for _, steps in groupby(run.steps, key=lambda step: step.clock):
        actions, unheard = actions_of(robot, list(steps))
        unknown += int(unheard.sum())
        wild += int(impossible(robot.spec, actions).sum())
    problems = []
    if unknown:
        words = f"{unknown} steps whose command did not act, {told} of them told by the driver"
        problems.append(Problem("commands", unknown, words))
    if wild:
        words = f"command far out of range: {wild} steps"
        problems.append(Problem("doubtful", wild, words))
    return problems


def _rollouts(run: Run) -> tuple[list[Rollout], str]:
    try:
        check_rates([run])
        return rollouts_of(run), ""
    except UserError as error:
        return [], _without(run.path, error)


def _without(path: Path, error: UserError) -> str:
    """Return an error's text without the path."""
    return str(error).removeprefix(f"{path}").lstrip(": ")


def _seconds(run: Run) -> float:
    total = 0.0
    for _, steps in groupby(run.steps, key=lambda step: step.clock):
        same = list(steps)
        total += same[-1].time - same[0].time
    return total


def _percentile(run: Run, percent: float) -> float:
    offsets = [step.offset for step in run.steps if math.isfinite(step.offset)]
    return float(np.percentile(offsets, percent)) if offsets else math.nan
