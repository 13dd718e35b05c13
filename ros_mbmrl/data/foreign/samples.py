"""Samples: the numbers that a robot's topics held, with the times of their messages."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ros_mbmrl.data.foreign.layout import Column, Layout, columns_of
from ros_mbmrl.data.foreign.transforms import Chain
from ros_mbmrl.data.recording import Recorded, read_messages
from ros_mbmrl.errors import UserError
from ros_mbmrl.robots.described.sources import TWIST, RobotTopic
from ros_mbmrl.robots.spec import Array
from ros_mbmrl.topics import STATIC

Times = NDArray[np.int64]

NANO = 1_000_000_000
DENSEST = 20  # pairs of samples a control period that are kept; of more, the newest


@dataclass(frozen=True)
class Samples:
    """The samples of a topic, in the order in which they were recorded.

    Args:
        topic: its name.
        columns: what it holds.
        order: of the messages in the bag (n,).
        received: receive times (n,) [ns].
        stamps: of the headers (n,) [ns]; None if there are none, or not in each message.
        values: (n, k), in the columns' units; NaN where a message did not have the number.
    """

    topic: str
    columns: tuple[Column, ...]
    order: Times
    received: Times
    stamps: Times | None
    values: Array


def read_samples(
    path: Path, layout: Layout, messages: Iterable[Recorded] | None = None
) -> list[Samples]:
    """Read the numbers of a layout from a bag.

    Memory: at most 2 `DENSEST` samples a control period are kept of each topic, however many there
    are, so that it grows with the run's length only.

    Args:
        path: of the bag.
        layout: what to read.
        messages: of the bag's needed topics; by default they are read from it.

    Raises:
        UserError: not a bag, a topic is missing or of another type, or a number is in no message.
    """
    spacing = round(layout.period * NANO / DENSEST)
    tracks: dict[str, _Track | Chain] = {
        name: _Track(columns_of(layout.columns, name), spacing) for name in layout.topics
    }
    chain = Chain(layout, lambda columns: _Track(columns, spacing)) if layout.transforms else None
    if chain is not None:
        tracks |= dict.fromkeys(chain.topics, chain)
    read = read_messages(path, needed(layout)) if messages is None else messages
    found: set[str] = set()
    for order, recorded in enumerate(read):
        track = tracks[recorded.topic]
        found.add(recorded.topic)
        _refuse_type(path, recorded, track.columns[0].type_name, layout.robot)
        try:
            track.add(order, recorded)
        except (AttributeError, TypeError, ValueError) as error:
            raise UserError(f"{path}: {recorded.topic} ({recorded.type_name}): {error}") from None
    missing = [name for name in layout.topics if name not in found]
    if missing:
        raise UserError(
            f"{path}: nothing on {', '.join(missing)}: expected {', '.join(layout.topics)} of "
            f"{layout.robot}; `mbmrl data info` tells which topics there are"
        )
    return [
        track.samples(path) if isinstance(track, Chain) else track.samples(path, name)
        for name, track in tracks.items()
        if name in layout.topics
    ]


def _refuse_type(path: Path, recorded: Recorded, expected: str, robot: str) -> None:
    kinds = RobotTopic(recorded.topic, expected).types
    if recorded.type_name not in kinds:
        raise UserError(
            f"{path}: {recorded.topic} holds {recorded.type_name}: expected "
            f"{' or '.join(kinds)}, as {robot} has"
        )


def needed(layout: Layout) -> tuple[str, ...]:
    """Return the topics that are read: those of the layout, and what belongs to transforms."""
    return (*layout.topics, *([STATIC] if layout.transforms else ()))


@dataclass
class _Track:
    """Samples of one topic as they come."""

    columns: tuple[Column, ...]
    spacing: int
    order: array[int] = field(default_factory=lambda: array("q"))
    received: array[int] = field(default_factory=lambda: array("q"))
    stamps: array[int] = field(default_factory=lambda: array("q"))
    values: array[float] = field(default_factory=lambda: array("d"))
    wrong: dict[str, str] = field(default_factory=dict)  # by column

    def add(self, order: int, recorded: Recorded) -> None:
        """Take in a message. Raises AttributeError, TypeError, ValueError for a wrong field."""
        stamp, rows = stamp_of(recorded.message), len(self.order)
        times = self.received if stamp is None else self.stamps
        now = recorded.log_time_ns if stamp is None else stamp
        values = [self._value(column, recorded.message) for column in self.columns]
        if len(times) == rows and rows > 1 and 0 <= now - times[-2] < self.spacing:
            if not np.isnan(values).any():
                self._replace(order, recorded.log_time_ns, stamp, values)
            return
        self.order.append(order)
        self.received.append(recorded.log_time_ns)
        self.values.extend(values)
        if stamp is not None:
            self.stamps.append(stamp)

    def _replace(self, order: int, received: int, stamp: int | None, values: list[float]) -> None:
        self.order[-1], self.received[-1] = order, received
        self.values[-len(values) :] = array("d", values)
        if stamp is not None:
            self.stamps[-1] = stamp

    def _value(self, column: Column, message: Any) -> float:
        try:
            deeper = column.type_name == TWIST and hasattr(message, "twist")
            return column.scale * column.field.read(message.twist if deeper else message)
        except LookupError as error:
            self.wrong.setdefault(column.name, str(error))
            return float("nan")

    def samples(self, path: Path, topic: str) -> Samples:
        """Return all of them. Raises UserError for a number that was in none."""
        values = np.array(self.values).reshape(-1, len(self.columns))
        for k, column in enumerate(self.columns):
            if not np.isfinite(values[:, k]).any():
                why = self.wrong.get(column.name, "it is never a finite number")
                raise UserError(f"{path}: {topic}: {column.name} ({column.field}): {why}")
        whole = len(self.stamps) == len(self.order)
        return Samples(
            topic=topic,
            columns=self.columns,
            order=np.array(self.order, dtype=np.int64),
            received=np.array(self.received, dtype=np.int64),
            stamps=np.array(self.stamps, dtype=np.int64) if whole else None,
            values=values,
        )


def stamp_of(message: Any) -> int | None:
    """Return the stamp [ns] of a message's header; None without one, or if it was not set."""
    stamp = getattr(getattr(message, "header", None), "stamp", None)
    if stamp is None:
        return None
    return (int(stamp.sec) * NANO + int(stamp.nanosec)) or None


def partial(samples: Sequence[Samples]) -> Collection[str]:
    """Return remarks on numbers that some messages of their topic did not have."""
    notes = []
    for each in samples:
        for k, column in enumerate(each.columns):
            lost = int((~np.isfinite(each.values[:, k])).sum())
            if lost:
                share = f"{lost} of {len(each.values)} messages"
                notes.append(f"{each.topic}: {share} without {column.name} ({column.field})")
    return notes
