"""Report on a bag of anybody: topics, rates, gaps, and the clocks of its stamps.

A bag knows two times of a message: when it was received, and, of types with a header, when it was
stamped. Stamps of one machine run with the receive times. They do not if the clock of one of them
was set (a jump), if a sensor has a clock of its own (two clocks), or if time was simulated.

Messages are looked at one by one and rows are summed up in blocks, so that memory does not grow
with the bag.
"""

from __future__ import annotations

import math
import re
import struct
from array import array
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import zstandard
from mcap.records import Schema

from ros_mbmrl.data.bag_reader import is_complete, messages_of, size_of
from ros_mbmrl.data.mcap_records import ZSTD
from ros_mbmrl.data.recording import RecordingInfo, TopicInfo, foreign
from ros_mbmrl.data.skew import AROUND, STEPPED, jumps
from ros_mbmrl.robots.spec import Array

BLOCK = 1 << 14  # rows that are summed up at a time
GAP = 3.0  # periods between two messages from which on it is a gap
UNSTEADY = 2.0  # a topic whose slow messages take so many periods is sent on events: no gaps
SMALLEST_JUMP = 0.1  # [s]; queues alone make smaller ones
OTHER_CLOCK = 0.5  # [s] between two clocks from which on they are told apart
LISTED = 100  # jumps of a topic that are kept
_HEADER = re.compile(rb"^\s*(?:#.*)?$|^\s*(?:std_msgs/(?:msg/)?)?Header\s+\w+")


@dataclass(frozen=True)
class Timing:
    """Timing of a topic.

    Args:
        period: median time between messages [s]; nan for fewer than two.
        gaps: how often there were `GAP` periods or more without one; 0 of what is sent on events.
        longest: the longest of them [s].
        longest_at: when it began, after the bag's start [s].
        stamped: messages have a header, and a stamp in it other than 0.
        behind: receive time less stamp at the topic's beginning [s]; nan without stamps.
        rate: how much faster than the stamps the receive times run, as a share.
        jumps: when the two changed against each other, after the bag's start, and by how much [s].
        backwards: messages whose stamp is before that of the one before.
    """

    period: float
    gaps: int
    longest: float
    longest_at: float
    stamped: bool
    behind: float
    rate: float
    jumps: tuple[tuple[float, float], ...]
    backwards: int

    @property
    def simulated(self) -> bool:
        """Return whether stamps do not run with time, as in a simulation."""
        return abs(self.rate) > STEPPED


@dataclass(frozen=True)
class BagReport:
    """Content of a bag, timing of its topics, and remarks on clocks and gaps, a line each."""

    info: RecordingInfo
    timings: dict[str, Timing]
    notes: tuple[str, ...]


def report(path: Path) -> BagReport:
    """Look through a bag. Raises UserError."""
    tracks: dict[str, _Track] = {}
    start = None
    for schema, channel, message in messages_of(path):
        start = message.log_time if start is None else start
        track = tracks.get(channel.topic)
        if track is None:
            name, encoding = schema.name if schema else "", foreign(schema, channel)
            stamped = not encoding and schema is not None and has_header(schema)
            track = tracks[channel.topic] = _Track(name, encoding, stamped, start)
        track.add(message.log_time, message.data)
    topics = {name: tracks[name].info() for name in sorted(tracks)}
    info = RecordingInfo(
        topics=topics,
        start_ns=min((topic.start_ns for topic in topics.values()), default=0),
        end_ns=max((topic.end_ns for topic in topics.values()), default=0),
        bytes=size_of(path),
        complete=is_complete(path),
    )
    timings = {name: tracks[name].timing() for name in topics}
    return BagReport(info, timings, (*_gap_notes(timings), *_clock_notes(timings)))


def has_header(schema: Schema) -> bool:
    """Return whether messages of a type (`ros2msg`) begin with a header."""
    for line in schema.data.splitlines():
        found = _HEADER.match(line)
        if found is None:
            return False
        if found[0].strip() and not found[0].strip().startswith(b"#"):
            return True
    return False


def stamp_of(data: bytes) -> int | None:
    """Return the stamp [ns] of a message that begins with a header; None if it has none.

    Args:
        data: CDR, compressed by zstd or not.
    """
    if data.startswith(ZSTD):
        try:
            data = zstandard.ZstdDecompressor().stream_reader(data).read(12)
        except zstandard.ZstdError:
            return None
    if len(data) < 12:
        return None
    sec, nanosec = struct.unpack_from("<iI" if data[1] & 1 else ">iI", data, 4)
    return (sec * 10**9 + nanosec) or None


@dataclass
class _Track:
    """The rows of a topic; those of whole blocks are summed up and forgotten."""

    type_name: str
    encoding: str
    header: bool
    begin: int  # receive time of the bag's first message [ns]
    count: int = 0
    carried: int = 0  # rows that the block before has counted
    first: int = 0
    last: int = 0
    received: array[int] = field(default_factory=lambda: array("q"))
    stamps: array[int] = field(default_factory=lambda: array("q"))
    periods: list[float] = field(default_factory=list)
    behind: float = math.nan
    rates: list[float] = field(default_factory=list)
    jumps: list[tuple[float, float]] = field(default_factory=list)
    gaps: int = 0
    longest: tuple[float, float] = (0.0, 0.0)
    backwards: int = 0

    def add(self, received: int, data: bytes) -> None:
        """Take in a message."""
        self.first = min(self.first, received) if self.count else received
        self.last = max(self.last, received) if self.count else received
        self.count += 1
        stamp = stamp_of(data) if self.header else None
        self.header = stamp is not None
        self.received.append(received)
        if stamp is not None:
            self.stamps.append(stamp)
        if len(self.received) >= BLOCK:
            self._sum_up(keep=2 * AROUND)

    def info(self) -> TopicInfo:
        """Return type, number and times."""
        return TopicInfo(self.type_name, self.count, self.first, self.last, self.encoding)

    def timing(self) -> Timing:
        """Return the timing of all rows."""
        self._sum_up(keep=0)
        return Timing(
            period=_median(self.periods),
            gaps=self.gaps,
            longest=self.longest[0],
            longest_at=self.longest[1],
            stamped=self.header,
            behind=self.behind if self.header else math.nan,
            rate=_median(self.rates) if self.rates and self.header else 0.0,
            jumps=tuple(self.jumps[:LISTED]) if self.header else (),
            backwards=self.backwards if self.header else 0,
        )

    def _sum_up(self, keep: int) -> None:
        """Sum up the rows, and carry some over, so that no change between two blocks is missed."""
        received = (np.array(self.received, dtype=np.int64) - self.begin) / 1e9
        steps = np.diff(received)
        if len(steps):
            self._find_gaps(received[:-1], steps)
        if self.header and len(received) == len(self.stamps):
            self._compare(received, (np.array(self.stamps, dtype=np.int64) - self.begin) / 1e9)
        self.received = self.received[-keep:] if keep else array("q")
        self.stamps = self.stamps[-keep:] if keep else array("q")
        self.carried = len(self.received)

    def _find_gaps(self, times: Array, steps: Array) -> None:
        period, slow = np.quantile(steps, [0.5, 0.9])
        self.periods.append(float(period))
        if len(steps) < 2 * AROUND or period <= 0 or slow > UNSTEADY * period:
            return
        new = np.arange(len(steps)) >= self.carried - 1
        for k in np.flatnonzero((steps >= GAP * period) & new):
            self.gaps += 1
            self.longest = max(self.longest, (float(steps[k]), float(times[k])))

    def _compare(self, received: Array, stamps: Array) -> None:
        behind = received - stamps
        if not self.carried:
            self.behind = float(np.median(behind[: 2 * AROUND]))
        self.backwards += int((np.diff(stamps)[max(0, self.carried - 1) :] < 0).sum())
        if len(stamps) < 4 * AROUND:
            return
        moves = np.diff(stamps)
        rate = float(np.median(np.diff(behind)[moves > 0] / moves[moves > 0])) if moves.any() else 0
        self.rates.append(rate)
        if abs(rate) > STEPPED:
            return
        last = self.jumps[-1][0] if self.jumps else -math.inf
        period = max(2 * SMALLEST_JUMP, float(np.median(np.diff(received))))
        for at, size in jumps(received, behind - behind[0], period):
            if at > last + period:
                self.jumps.append((at, size))


def _median(values: Collection[float]) -> float:
    return float(np.median(np.array(list(values)))) if values else math.nan


def _gap_notes(timings: dict[str, Timing]) -> list[str]:
    return [
        f"gaps: {name}: {each.gaps} of {GAP:g} periods or more, the longest {each.longest:.2f} s, "
        f"{each.longest_at:.1f} s in"
        for name, each in timings.items()
        if each.gaps
    ]


def _clock_notes(timings: dict[str, Timing]) -> list[str]:
    stamped = {name: each for name, each in timings.items() if each.stamped}
    notes = []
    for name, each in stamped.items():
        for at, size in each.jumps:
            notes.append(
                f"clock jump: {name}: stamps and receive times {size:+.3f} s apart at {at:.1f} s"
            )
        if each.backwards:
            notes.append(f"stamps go back: {name}: {each.backwards} times")
    simulated = [name for name, each in stamped.items() if each.simulated]
    if simulated:
        pace = 1 / (1 + stamped[simulated[0]].rate)
        notes.append(f"simulated time: stamps of {_list(simulated)} run at {pace:.2f} of time")
    clocks = clocks_of({n: t.behind for n, t in stamped.items() if not t.simulated})
    if len(clocks) > 1:
        told = (f"{_list(names)} {_apart(behind)} the receive times" for behind, names in clocks)
        notes.append(f"{len(clocks)} clocks: stamps of {'; of '.join(told)}")
    elif clocks and abs(clocks[0][0]) > OTHER_CLOCK:
        notes.append(f"two clocks: all stamps are {_apart(clocks[0][0])} the receive times")
    return notes


def clocks_of(behind: dict[str, float]) -> list[tuple[float, list[str]]]:
    """Return topics by clock: those whose stamps lie equally far behind their receive times.

    Args:
        behind: receive time less stamp by topic [s].

    Returns:
        The smallest `behind` of each clock, and its topics.
    """
    clocks: list[tuple[float, list[str]]] = []
    newest = -math.inf
    for name, value in sorted(behind.items(), key=lambda pair: (pair[1], pair[0])):
        if value - newest > OTHER_CLOCK:
            clocks.append((value, []))
        clocks[-1][1].append(name)
        newest = value
    return clocks


def _apart(behind: float) -> str:
    return f"{abs(behind):.3f} s {'before' if behind >= 0 else 'after'}"


def _list(names: list[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more
