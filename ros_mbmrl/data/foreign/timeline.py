"""Timeline: one time for the samples of several topics, and where it breaks.

Stamps are better than receive times: they tell when something was measured, without the delays of
drivers and queues. They count if those of all topics that have any come from one clock; otherwise
receive times do, for all topics. A topic without stamps (`geometry_msgs/msg/Twist` has none) is
placed by its receive times; where stamps are of another clock than receive times, by what the
stamped topics have shown of the difference between the two.

Where a clock jumped, by its stamps or by its receive times, the run is cut: nobody knows how much
time passed there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ros_mbmrl.data.bag_report import OTHER_CLOCK, SMALLEST_JUMP, clocks_of
from ros_mbmrl.data.foreign.samples import NANO, Samples, Times
from ros_mbmrl.data.skew import AROUND, jumps
from ros_mbmrl.errors import UserError, choose

AUTO, STAMPS, RECEIVED = "auto", "stamps", "received"
CLOCKS = (AUTO, STAMPS, RECEIVED)
RESTART = NANO  # a time that goes back by more began anew; by less, messages came out of turn


@dataclass(frozen=True)
class Timed:
    """Samples of a topic with the time that counts (n,) [ns], in its order."""

    samples: Samples
    times: Times


@dataclass(frozen=True)
class Timeline:
    """Samples on one time.

    Args:
        segments: between jumps of the clock, each with the topics in the order given.
        clock: what counts, stamps or receive times.
        jumps: when the clock jumped [s] on the timeline, and by how much [s].
        notes: remarks for people, a line each.
    """

    segments: tuple[tuple[Timed, ...], ...]
    clock: str
    jumps: tuple[tuple[float, float], ...]
    notes: tuple[str, ...]


def timeline(samples: Sequence[Samples], clock: str = AUTO) -> Timeline:
    """Return samples on one time.

    Args:
        samples: of the topics.
        clock: auto, stamps or received.

    Raises:
        UserError: an unknown clock, or stamps that are asked for and not there.
    """
    choose("clock", clock, CLOCKS)
    stamped = {each.topic: each for each in samples if each.stamps is not None}
    if clock == STAMPS and not stamped:
        raise UserError("clock: expected 'received', no topic that is needed has stamps")
    chosen, notes = _choose(stamped, clock)
    times = {each.topic: _times(each, stamped, chosen) for each in samples}
    cuts, found = _cuts(samples, times)
    segments = []
    for low, high in zip([-1, *cuts], [*cuts, np.iinfo(np.int64).max], strict=True):
        segments.append(tuple(_between(each, times[each.topic], low, high) for each in samples))
    return Timeline(tuple(segments), chosen, tuple(found), tuple(notes))


def _choose(stamped: dict[str, Samples], clock: str) -> tuple[str, list[str]]:
    """Return the clock that counts, and why."""
    clocks = clocks_of({name: _behind(each) for name, each in stamped.items()})
    if clock == STAMPS or not stamped:
        return (STAMPS if clock == STAMPS else RECEIVED), []
    if clock == RECEIVED:
        return RECEIVED, []
    if len(clocks) > 1:
        told = "; ".join(f"{', '.join(names)} {behind:.3f} s" for behind, names in clocks)
        return RECEIVED, [
            f"{len(clocks)} clocks: stamps lie before receive times by {told}: "
            "receive times count instead"
        ]
    if clocks and abs(clocks[0][0]) > OTHER_CLOCK:
        told = f"{clocks[0][0]:.3f} s before receive times"
        return STAMPS, [f"two clocks: stamps lie {told}: times are those of the stamps"]
    return STAMPS, []


def _behind(samples: Samples) -> float:
    """Return receive time less stamp at the beginning [s]."""
    assert samples.stamps is not None
    first = slice(0, 2 * AROUND)
    return float(np.median(samples.received[first] - samples.stamps[first])) / NANO


def _times(samples: Samples, stamped: dict[str, Samples], clock: str) -> Times:
    """Return the time that counts of each sample [ns]."""
    if clock == RECEIVED:
        return samples.received
    if samples.stamps is not None:
        return samples.stamps
    guide = max(stamped.values(), key=lambda each: len(each.order))
    assert guide.stamps is not None
    behind = guide.received - guide.stamps
    if abs(np.median(behind)) <= OTHER_CLOCK * NANO:
        return samples.received
    # The neighbours' median: what one message was late by says nothing about this topic.
    near = np.searchsorted(guide.order, samples.order).clip(0, len(behind) - 1)
    times: Times = samples.received - _smoothed(behind)[near]
    return times


def _smoothed(behind: Times) -> Times:
    if len(behind) < AROUND:
        return np.full(len(behind), int(np.median(behind)), dtype=np.int64)
    padded = np.pad(behind, AROUND // 2, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, AROUND)
    middle: Times = np.sort(windows, axis=1)[:, AROUND // 2]
    return middle


def _cuts(
    samples: Sequence[Samples], times: dict[str, Times]
) -> tuple[list[int], list[tuple[float, float]]]:
    """Return the places in the bag's order behind which the clock has jumped, and the jumps."""
    found: list[tuple[int, float, float]] = []
    for each in samples:
        now = times[each.topic]
        found += _jumps(each, now)
        newest = np.maximum.accumulate(now)
        back = np.flatnonzero(now[1:] < newest[:-1] - RESTART)
        while len(back):
            k = int(back[0])
            found.append((int(each.order[k]), now[k] / NANO, (now[k + 1] - now[k]) / NANO))
            newest = np.maximum.accumulate(now[k + 1 :])
            back = k + 1 + np.flatnonzero(now[k + 2 :] < newest[:-1] - RESTART)
    cuts: list[int] = []
    kept: list[tuple[float, float]] = []
    for order, at, size in sorted(found):
        # One jump is seen on several topics, at messages close to each other.
        if not kept or abs(at - kept[-1][0]) > OTHER_CLOCK:
            cuts.append(order)
            kept.append((at, size))
    return cuts, kept


def _jumps(samples: Samples, now: Times) -> list[tuple[int, float, float]]:
    """Return the changes of receive times against stamps: order in the bag, time, size [s]."""
    if samples.stamps is None or len(now) < 4 * AROUND:
        return []
    behind = (samples.received - samples.stamps).astype(np.float64)
    behind = (behind - behind[0]) / NANO
    moves = np.diff(samples.stamps) / NANO
    if abs(np.median(np.diff(behind) / np.where(moves != 0, moves, np.inf))) > 0.05:
        return []  # simulated time runs at a pace of its own
    rows = np.arange(len(now), dtype=np.float64)
    period = max(2 * SMALLEST_JUMP, float(np.median(moves)))
    return [
        (int(samples.order[max(0, int(row) - 1)]), float(now[max(0, int(row) - 1)] / NANO), size)
        for row, size in jumps(rows, behind, period)
    ]


def _between(samples: Samples, times: Times, low: int, high: int) -> Timed:
    """Return the samples behind place `low` and up to place `high`, in the order of time."""
    inside = np.flatnonzero((samples.order > low) & (samples.order <= high))
    inside = inside[np.argsort(times[inside], kind="stable")]
    part = replace(
        samples,
        order=samples.order[inside],
        received=samples.received[inside],
        stamps=None if samples.stamps is None else samples.stamps[inside],
        values=samples.values[inside],
    )
    return Timed(part, times[inside])
