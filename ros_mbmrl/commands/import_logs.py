"""`mbmrl import`: runs that other programs recorded, into recordings or a data set of ours."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console
from rich.progress import track

from ros_mbmrl.collection.episodes import Event
from ros_mbmrl.collection.recorder import RunRecorder
from ros_mbmrl.data.check import Check, check_run
from ros_mbmrl.data.dataset import save
from ros_mbmrl.data.files import data_in
from ros_mbmrl.data.foreign.layout import Layout, layout_of
from ros_mbmrl.data.foreign.lerobot import lerobot_layout, read_lerobot
from ros_mbmrl.data.foreign.resample import Stretch
from ros_mbmrl.data.foreign.run import ForeignRun, make_rule, make_run
from ros_mbmrl.data.foreign.samples import NANO, Samples, needed, read_samples
from ros_mbmrl.data.foreign.table import read_table, table_layout
from ros_mbmrl.data.recording import SUFFIX, read_messages
from ros_mbmrl.data.step_reader import read_run
from ros_mbmrl.data.velociroach import import_logs
from ros_mbmrl.errors import UserError, choose
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.measurement import Measurement
from ros_mbmrl.robots.spec import Robot, RobotSpec

if TYPE_CHECKING:
    from ros_mbmrl.arguments.import_logs import Import


def run(arguments: Import) -> dict[str, Any]:
    """Import the file and tell what was found in it. Raises UserError."""
    choose("kind of log", arguments.kind, ("velociroach", *KINDS))
    if arguments.kind == "velociroach":
        return _import_velociroach(arguments)
    return _import_run(arguments, KINDS[arguments.kind])


def _import_velociroach(arguments: Import) -> dict[str, Any]:
    """Save a data set and print its marks."""
    rollouts, summary = import_logs(arguments.file)
    digest = save(arguments.out, rollouts)
    console = Console()
    for table in summary.tables():
        console.print(table)
    console.print(
        f"{len(rollouts)} runs in {arguments.out}; marked transitions are kept, not trained on"
    )
    out = {"out": str(arguments.out), "robot": rollouts[0].robot, "sha256": digest}
    return {**out, **summary.as_dict()}


def _bag_samples(path: Path, layout: Layout) -> Sequence[Samples]:
    file, *others = data_in(path)
    if others:
        raise UserError(f"{path}: holds {1 + len(others)} recordings: expected one bag")
    messages = track(read_messages(file, needed(layout)), description="messages", total=None)
    return read_samples(file, layout, messages)


@dataclass(frozen=True)
class _Kind:
    """A kind of file. layout: where a robot's numbers are in it; read: all of them."""

    layout: Callable[[Robot], Layout]
    read: Callable[[Path, Layout], Sequence[Samples]]


KINDS = {
    "bag": _Kind(layout_of, _bag_samples),
    "csv": _Kind(lambda robot: table_layout(robot.spec), read_table),
    "lerobot": _Kind(lambda robot: lerobot_layout(robot.spec), read_lerobot),
}


def _import_run(arguments: Import, kind: _Kind) -> dict[str, Any]:
    """Write a recording and print how it came about."""
    file, out = arguments.file, arguments.out
    if arguments.robot is None:
        raise UserError("expected --robot, a robot's file (my_robot.yaml) or its name")
    if out.suffix != SUFFIX:
        raise UserError(f"{out}: expected a recording to write, a name that ends in {SUFFIX}")
    if out.exists():
        raise UserError(f"{out}: is there already: expected a new file")
    robot = make_robot(arguments.robot)
    layout = kind.layout(robot)
    rule = make_rule(layout, arguments.gap, arguments.hold)
    found = make_run(file, kind.read(file, layout), layout, rule, arguments.clock)
    with _recording(robot.spec, out, arguments.kind) as recorder:
        _record(recorder, found, robot.spec.period, arguments.episode_seconds)
    check = check_run(read_run(out, robot.spec.name))
    console = Console()
    for line in _told(arguments, found, check):
        console.print(line, soft_wrap=True, highlight=False, markup=False)
    return {
        "out": str(out),
        "robot": robot.spec.name,
        "steps": found.ticks,
        "seconds": found.seconds,
        "stretches": len(found.stretches),
        "transitions": check.transitions,
        "marked": check.marked,
        "clock": found.clock,
        "gap_s": rule.gap,
        "hold_s": rule.hold,
        "jumps": [list(jump) for jump in found.jumps],
        "notes": list(found.notes),
    }


def _told(arguments: Import, found: ForeignRun, check: Check) -> list[str]:
    """Return what to print: a line on the recording, and the remarks."""
    head = (
        f"{arguments.out}: {check.robot}, {found.seconds:.1f} s at {check.rate:.3g} Hz, "
        f"{check.transitions} transitions in {check.rollouts} rollouts, {check.marked} marked"
    )
    times = {
        "stamps": "stamps of the messages",
        "received": "when they were received" if arguments.kind == "bag" else "as the file tells",
    }
    return [head, f"  times: {times[found.clock]}", *(f"  {note}" for note in found.notes)]


@contextmanager
def _recording(spec: RobotSpec, out: Path, kind: str) -> Iterator[RunRecorder]:
    """Give our recorder for a run of a kind of file. A file that cannot be finished is removed."""
    try:
        with RunRecorder(spec, out, kind) as recorder:
            yield recorder
    except BaseException:
        out.unlink(missing_ok=True)
        raise


def _record(
    recorder: RunRecorder, found: ForeignRun, period: float, episode_seconds: float | None
) -> None:
    """Write a run, in episodes if they have a length."""
    length = round(episode_seconds / period) if episode_seconds else found.ticks
    indices = count(1)
    for stretch in found.stretches:
        for first in range(0, len(stretch.times), length):
            part = slice(first, first + length)
            index = next(indices) if episode_seconds else None
            _record_part(recorder, stretch, part, index)


def _record_part(recorder: RunRecorder, stretch: Stretch, part: slice, episode: int | None) -> None:
    """Write ticks of a stretch; episode: number of the one that they are, if they are one."""
    times = [int(time) / NANO for time in stretch.times[part]]
    if episode is not None:
        recorder.happened(Event("start", episode, "", (), times[0]))
    rows = stretch.measurements[part], stretch.ages[part], stretch.commands[part]
    for time, values, age, command in zip(times, *rows, strict=True):
        recorder.measured(Measurement(time, values, float(age)))
        if np.isfinite(command).all():
            recorder.commanded(command)
    if episode is not None:
        recorder.happened(Event("stop", episode, "", (), times[-1]))
