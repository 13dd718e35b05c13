"""Resampling of a robot's topics, each at a rate of its own, to its control period.

The rule:

- Ticks: if a measured topic comes at the control rate, its times; of several, those of the topic
  with most numbers. Otherwise every control period, from the first time at which all is known.
- A measured number at a tick: the sample of that time; otherwise on the line between the samples
  before and after it. Quaternions keep their length; an angle that changes by more than half a turn
  between two samples is that of the nearer one.
- A command at a tick: the mean, until the next tick, of the commands that acted, each from its time
  to the next one's. A command counts for `hold` seconds; then it is unknown which one acts.
- A measured number without a sample for `gap` seconds is unknown: the run is cut there. A topic
  that is slower by itself may take 2.5 of its own periods.
- Age: time from a tick to the nearest sample of the topic for which it is longest; topics slower
  than the control rate do not count.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ros_mbmrl.data.foreign.layout import Column, Layout
from ros_mbmrl.data.foreign.samples import NANO, Times
from ros_mbmrl.data.foreign.timeline import Timed
from ros_mbmrl.data.from_recording import RATE_TOLERANCE
from ros_mbmrl.data.quality import LONGEST
from ros_mbmrl.errors import UserError
from ros_mbmrl.robots.spec import Array

OWN_PERIODS = 2.5  # of a slow topic, that may lie between two of its samples
HALF_TURN = np.pi

Flags = NDArray[np.bool_]
Places = NDArray[np.intp]


@dataclass(frozen=True)
class Rule:
    """Settings of resampling.

    Args:
        period: of control [s].
        gap: time without a sample from which on a number is unknown [s].
        hold: time that a command counts without a newer one [s].
    """

    period: float
    gap: float
    hold: float

    def __post_init__(self) -> None:
        if not self.gap >= self.period:
            raise UserError(
                f"gap: expected a control period or more, {self.period:g} s, got {self.gap:g}"
            )
        if not self.hold >= LONGEST * self.period:
            raise UserError(
                f"hold: expected {LONGEST:g} control periods or more, {LONGEST * self.period:g} s, "
                f"got {self.hold:g}"
            )


@dataclass(frozen=True)
class Stretch:
    """Part of a run without a gap.

    Args:
        times: of the ticks (n,) [ns].
        measurements: (n, dm).
        ages: of the measurements (n,) [s].
        commands: (n, da); NaN where it is unknown which one acted.
    """

    times: Times
    measurements: Array
    ages: Array
    commands: Array


@dataclass(frozen=True)
class _Line:
    """Samples of one number, without those that do not have it: times (n,) [ns], values (n,)."""

    times: Times
    values: Array

    @property
    def period(self) -> int:
        """Return the median time between samples [ns]; 0 for fewer than two."""
        return int(np.median(np.diff(self.times))) if len(self.times) > 1 else 0


def resample(segment: Sequence[Timed], layout: Layout, rule: Rule) -> list[Stretch]:
    """Return the stretches of a segment of a run; see the rule above."""
    lines = {column: line for timed in segment for column, line in _lines(timed)}
    measured = [lines[column] for column in layout.measured]
    if not all(len(line.times) > 1 for line in measured):
        return []
    ticks = _ticks(segment, layout, measured, rule)
    if len(ticks) < 2:
        return []
    values = np.empty((len(ticks), len(measured)))
    known = np.ones(len(ticks), dtype=np.bool_)
    ages = np.zeros(len(ticks))
    before = [_before(line, ticks) for line in measured]
    for k, (line, column) in enumerate(zip(measured, layout.measured, strict=True)):
        limit = max(round(rule.gap * NANO), round(OWN_PERIODS * line.period))
        known &= _covered(line, ticks, before[k], limit)
        values[:, k] = _on_line(line, ticks, before[k], angle=column.unit == "rad")
        if line.period <= LONGEST * rule.period * NANO:
            ages = np.maximum(ages, _distance(line, ticks, before[k]) / NANO)
    for four in layout.quaternions:
        columns = [measured[k] for k in four]
        if all(np.array_equal(line.times, columns[0].times) for line in columns):
            values[:, four] = _turned(columns, ticks, before[four[0]])
    commands = _commands([lines[column] for column in layout.commands], ticks, rule)
    return _stretches(ticks, values, ages, commands, known, rule)


def lead(segment: Sequence[Timed], layout: Layout, rule: Rule) -> Timed | None:
    """Return the topic whose times are the ticks; None if none measured is at the control rate."""
    best: tuple[int, Timed] | None = None
    for timed in segment:
        count = sum(column in layout.measured for column in timed.samples.columns)
        if not count or len(timed.times) < 2:
            continue
        period = float(np.median(np.diff(timed.times))) / NANO
        if abs(period / rule.period - 1) <= RATE_TOLERANCE and (best is None or count > best[0]):
            best = count, timed
    return best[1] if best else None


def _lines(timed: Timed) -> list[tuple[Column, _Line]]:
    samples, found = timed.samples, []
    for k, column in enumerate(samples.columns):
        there = np.isfinite(samples.values[:, k])
        found.append((column, _Line(timed.times[there], samples.values[there, k])))
    return found


def _ticks(segment: Sequence[Timed], layout: Layout, lines: Sequence[_Line], rule: Rule) -> Times:
    first = max(int(line.times[0]) for line in lines)
    last = min(int(line.times[-1]) for line in lines)
    leader = lead(segment, layout, rule)
    if leader is not None:
        return np.unique(leader.times)
    return np.arange(first, last + 1, round(rule.period * NANO), dtype=np.int64)


def _before(line: _Line, ticks: Times) -> Places:
    """Return the newest sample at each tick or before it; -1 if there is none."""
    return np.searchsorted(line.times, ticks, side="right") - 1


def _around(line: _Line, before: Places) -> tuple[Places, Places]:
    """Return the samples on both sides of ticks; at the ends, the one that there is, twice."""
    last = len(line.times) - 1
    return before.clip(0, last), (before + 1).clip(0, last)


def _covered(line: _Line, ticks: Times, before: Places, limit: int) -> Flags:
    """Return at which ticks a number is known, by samples that are not too far apart.

    Beyond its first and last sample it stays as it was for one period of its own.
    """
    left, right = _around(line, before)
    exact = line.times[left] == ticks
    between = (left != right) & (line.times[right] - line.times[left] <= limit)
    beyond = (left == right) & (np.abs(ticks - line.times[left]) <= line.period)
    known: Flags = exact | between | beyond
    return known


def _share(line: _Line, ticks: Times, left: Places, right: Places) -> Array:
    """Return how far from the sample before a tick to the one after it, 0 to 1."""
    span = np.maximum(line.times[right] - line.times[left], 1)
    share: Array = np.clip((ticks - line.times[left]) / span, 0.0, 1.0)
    return share


def _on_line(line: _Line, ticks: Times, before: Places, angle: bool) -> Array:
    left, right = _around(line, before)
    share = _share(line, ticks, left, right)
    low, high = line.values[left], line.values[right]
    values = low + share * (high - low)
    if angle:
        far = np.abs(high - low) > HALF_TURN
        values = np.where(far, np.where(share < 0.5, low, high), values)
    return np.where(line.times[left] == ticks, low, values)


def _distance(line: _Line, ticks: Times, before: Places) -> Times:
    """Return the time to the nearest sample [ns]."""
    left, right = _around(line, before)
    near: Times = np.minimum(np.abs(ticks - line.times[left]), np.abs(line.times[right] - ticks))
    return near


def _turned(lines: Sequence[_Line], ticks: Times, before: Places) -> Array:
    """Return quaternions (n, 4) on the shortest arc's chord, at the length of the samples."""
    left, right = _around(lines[0], before)
    low, high = (np.stack([line.values[side] for line in lines], 1) for side in (left, right))
    high = np.where((low * high).sum(1, keepdims=True) < 0, -high, high)
    share = _share(lines[0], ticks, left, right)[:, None]
    mixed = low + share * (high - low)
    lengths = [np.linalg.norm(each, axis=1, keepdims=True) for each in (low, high, mixed)]
    wanted = lengths[0] + share * (lengths[1] - lengths[0])
    turned: Array = mixed * wanted / np.maximum(lengths[2], 1e-9)
    return np.where((lines[0].times[left] == ticks)[:, None], low, turned)


def _commands(lines: Sequence[_Line], ticks: Times, rule: Rule) -> Array:
    """Return the mean of what acted from each tick to the next (n, da)."""
    ends = np.append(ticks[1:], ticks[-1] + round(rule.period * NANO))
    ends = np.minimum(ends, ticks + round(LONGEST * rule.period * NANO))  # not over gaps
    return np.stack([_mean(line, ticks, ends, round(rule.hold * NANO)) for line in lines], axis=1)


def _mean(line: _Line, begins: Times, ends: Times, hold: int) -> Array:
    """Return the means of a command over intervals, NaN where it is unknown in a part of them."""
    if not len(line.times):
        return np.full(len(begins), np.nan)
    first = np.searchsorted(line.times, begins, side="right") - 1
    last = np.searchsorted(line.times, ends, side="left") - 1
    means = np.where(first >= 0, line.values[first.clip(0)], np.nan)
    for k in np.flatnonzero((last > first) & (first >= 0)):  # another one came in between
        rows = np.arange(first[k], last[k] + 1)
        edges = np.concatenate([[begins[k]], line.times[rows[1:]], [ends[k]]])
        means[k] = np.average(line.values[rows], weights=np.diff(edges))
    # Between the first and the last one there is less than an interval, and `hold` is longer.
    after = np.append(line.times[1:], np.iinfo(np.int64).max)
    held = np.minimum(after[first.clip(0)], ends) - line.times[first.clip(0)]
    held = np.maximum(held, ends - line.times[last.clip(0)])
    means[held > hold] = np.nan
    return means


def _stretches(
    ticks: Times, values: Array, ages: Array, commands: Array, known: Flags, rule: Rule
) -> list[Stretch]:
    """Return the runs of known ticks that follow each other."""
    kept = np.flatnonzero(known)
    if not len(kept):
        return []
    apart = np.flatnonzero(
        (np.diff(kept) > 1) | (np.diff(ticks[kept]) > LONGEST * rule.period * NANO)
    )
    parts = np.split(kept, apart + 1)
    return [
        Stretch(ticks[part], values[part], ages[part], commands[part])
        for part in parts
        if len(part) > 1
    ]
