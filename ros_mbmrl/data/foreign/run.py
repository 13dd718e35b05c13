"""ForeignRun: a run of another program at a robot's control rate, ready to be recorded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ros_mbmrl.data.foreign.layout import Layout
from ros_mbmrl.data.foreign.resample import Rule, Stretch, lead, resample
from ros_mbmrl.data.foreign.samples import NANO, Samples, partial
from ros_mbmrl.data.foreign.timeline import AUTO, RESTART, Timeline, timeline
from ros_mbmrl.data.quality import LONGEST
from ros_mbmrl.errors import UserError
from ros_mbmrl.robots.spec import Array

GAP = 3.0  # control periods without a sample, from which on the run is cut, unless told otherwise


@dataclass(frozen=True)
class ForeignRun:
    """A run at the control rate.

    Args:
        stretches: without gaps, in order.
        clock: what its times are: stamps or received.
        jumps: of the clock: when, and by how much [s].
        notes: remarks for people, a line each.
    """

    stretches: tuple[Stretch, ...]
    clock: str
    jumps: tuple[tuple[float, float], ...]
    notes: tuple[str, ...]

    @property
    def ticks(self) -> int:
        """Return the number of control steps."""
        return sum(len(each.times) for each in self.stretches)

    @property
    def seconds(self) -> float:
        """Return the time that the stretches cover [s]."""
        return sum(float(each.times[-1] - each.times[0]) for each in self.stretches) / NANO


def make_rule(layout: Layout, gap: float | None = None, hold: float | None = None) -> Rule:
    """Return the rule of resampling; gap and hold [s] are `GAP` periods by default.

    Raises UserError for times that are too short.
    """
    usual = GAP * layout.period
    gap = usual if gap is None else gap
    return Rule(layout.period, gap, usual if hold is None else hold)


def make_run(
    path: Path, samples: Sequence[Samples], layout: Layout, rule: Rule, clock: str = AUTO
) -> ForeignRun:
    """Return the run that is in samples of a robot's topics.

    Args:
        path: where they are from, for messages.
        samples: of all topics of the layout.
        layout: of the robot.
        rule: of resampling.
        clock: whose time counts: auto, stamps or received.

    Raises:
        UserError: there are no two control steps in a row at which everything is known.
    """
    line = timeline(samples, clock)
    parts = [resample(segment, layout, rule) for segment in line.segments]
    stretches = [_commanded(each, layout) for each in _apart(parts, rule)]
    if not stretches:
        raise UserError(
            f"{path}: no two control steps in a row: the topics {', '.join(layout.topics)} never "
            f"have samples at most {rule.gap:g} s apart at the same time (`--gap` allows for more)"
        )
    notes = (*line.notes, *_jump_notes(line), *partial(samples), *_notes(line, layout, rule))
    cut = len(stretches) - 1
    if cut:
        lost = sum(_waits(stretches))
        notes += (f"cut at {cut} place{'s' * (cut > 1)}, {lost:.2f} s in all left out",)
    return ForeignRun(tuple(stretches), line.clock, line.jumps, notes)


def _apart(parts: Iterable[Sequence[Stretch]], rule: Rule) -> list[Stretch]:
    """Join the segments' stretches, with a gap at each jump of the clock.

    A time that began anew stays: readers of recordings see it. After a smaller jump all later times
    are moved by a constant, so that two control periods lie between.
    """
    joined: list[Stretch] = []
    shift = 0
    for stretches in parts:
        for k, stretch in enumerate(stretches):
            times = stretch.times + shift
            if joined and k == 0:
                end = int(joined[-1].times[-1])
                away = int(times[0]) - end
                if -RESTART <= away <= LONGEST * rule.period * NANO:
                    shift += 2 * round(rule.period * NANO) - away
                    times = stretch.times + shift
            joined.append(replace(stretch, times=times))
    return joined


def _commanded(stretch: Stretch, layout: Layout) -> Stretch:
    """Return a stretch whose commands are rates where the robot takes positions.

    A rate is what leads from the position that was told before, as the plant integrates it; at the
    beginning from the measured one.
    """
    names = [column.name for column in layout.measured]
    commands: Array = stretch.commands.copy()
    for k, column in enumerate(layout.commands):
        if column.integrates:
            begun = stretch.measurements[:1, names.index(column.integrates)]
            told = np.concatenate([begun, stretch.commands[:, k]])
            commands[:, k] = np.diff(told) / layout.period
    return replace(stretch, commands=commands)


def _waits(stretches: Sequence[Stretch]) -> list[float]:
    ends = zip(stretches[:-1], stretches[1:], strict=True)
    waits = [(int(after.times[0]) - int(before.times[-1])) / NANO for before, after in ends]
    return [wait for wait in waits if wait > 0]


def _jump_notes(line: Timeline) -> list[str]:
    return [f"clock jump of {size:+.3f} s at {at:.3f} s: cut there" for at, size in line.jumps]


def _notes(line: Timeline, layout: Layout, rule: Rule) -> list[str]:
    """Return remarks on rates and on the ticks."""
    segment = max(line.segments, key=lambda each: sum(len(timed.times) for timed in each))
    leader = lead(segment, layout, rule)
    measured = {column.topic for column in layout.measured}
    notes = [
        f"ticks: the times of {leader.samples.topic}"
        if leader is not None
        else f"ticks: every {rule.period:g} s; no measured topic comes at this rate"
    ]
    for timed in segment:
        if timed.samples.topic in measured and len(timed.times) > 1:
            period = float(np.median(np.diff(timed.times))) / NANO
            if period > LONGEST * rule.period:
                notes.append(
                    f"{timed.samples.topic}: slower ({1 / period:.3g} Hz) than the control rate "
                    f"({1 / rule.period:.3g} Hz): most of its values lie between samples"
                )
    return notes
