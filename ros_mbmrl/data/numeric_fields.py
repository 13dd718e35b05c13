"""Every number of any message, by its place: `pose.position.x`, `position[elbow]`."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ros_mbmrl.data.recording import read_messages, recording_info
from ros_mbmrl.errors import UserError, choose
from ros_mbmrl.robots.spec import Array

ARRAY_LIMIT = 64  # numbers of an array, above which it is an image, a cloud or a map: left out
NESTED_LIMIT = 16  # messages of an array
ROWS_LIMIT = 20_000  # rows that are kept of a topic; of more, every second, fourth, ... one
NAMES = ("name", "joint_names")  # fields that name the numbers of arrays beside them


def numbers_of(message: Any, place: str = "") -> Iterator[tuple[str, float]]:
    """Yield the numbers of a message, each with its place. Headers and times are left out.

    Args:
        message: any.
        place: where it is in an outer message.
    """
    fields = getattr(message, "__slots__", None) or vars(message)
    if tuple(fields) == ("sec", "nanosec"):
        return
    labels = _labels(message)
    for name in fields:
        value, here = getattr(message, name), f"{place}.{name}".removeprefix(".")
        if isinstance(value, bool | int | float):
            yield here, float(value)
        elif isinstance(value, str | bytes) or name == "header":
            continue
        elif hasattr(value, "__len__"):
            yield from _of_array(value, here, labels)
        else:
            yield from numbers_of(value, here)


def _of_array(values: Any, place: str, labels: list[str]) -> Iterator[tuple[str, float]]:
    if not len(values) or isinstance(values[0], str):
        return
    if isinstance(values[0], bool | int | float):
        named = labels if len(labels) == len(values) else range(len(values))
        if len(values) <= ARRAY_LIMIT:
            yield from ((f"{place}[{k}]", float(v)) for k, v in zip(named, values, strict=True))
    elif len(values) <= NESTED_LIMIT:
        for k, value in enumerate(values):
            yield from numbers_of(value, f"{place}[{k}]")


def _labels(message: Any) -> list[str]:
    """Return the names of joints in a message; empty without, or if one stands twice."""
    for name in NAMES:
        labels = [str(each) for each in getattr(message, name, ()) or ()]
        if labels and len(set(labels)) == len(labels):
            return labels
    return []


@dataclass
class Series:
    """The numbers of a topic over receive time, thinned out where there are many.

    Args:
        type_name: of its messages.
        every: one of so many messages is kept.
    """

    type_name: str
    every: int = 1
    count: int = 0
    times: array[float] = field(default_factory=lambda: array("d"))
    columns: dict[str, array[float]] = field(default_factory=dict)

    def add(self, time: float, message: Any) -> None:
        """Take in a message received at `time` [s]."""
        if self.count % self.every == 0:
            rows = len(self.times)
            self.times.append(time)
            for place, value in numbers_of(message):
                column = self.columns.setdefault(place, array("d"))
                column.extend([np.nan] * (rows - len(column)))  # messages without this number
                column.append(value)
        self.count += 1
        if len(self.times) > ROWS_LIMIT:
            self._halve()

    def values(self) -> dict[str, Array]:
        """Return each number's values (n,), NaN where a message had none."""
        size = len(self.times)
        return {
            place: np.array(column.tolist() + [np.nan] * (size - len(column)))
            for place, column in self.columns.items()
        }

    def _halve(self) -> None:
        self.every *= 2
        self.times = self.times[::2]
        for place, column in self.columns.items():
            self.columns[place] = column[::2]


def read_series(path: Path, topics: Collection[str]) -> dict[str, Series]:
    """Return the numbers of a bag's topics, at seconds after its start.

    Raises:
        UserError: not a bag, a topic that is not in it, or without numbers.
    """
    info = recording_info(path)
    for name in topics:
        choose(f"topic of {path}", name, info.topics)
    found = {name: Series(info.topics[name].type_name) for name in topics}
    for recorded in read_messages(path, topics):
        time = (recorded.log_time_ns - info.start_ns) / 1e9
        found[recorded.topic].add(time, recorded.message)
    for name, series in found.items():
        if not series.columns:
            raise UserError(f"{path}: {name} ({series.type_name}) has no numbers to draw")
    return found
