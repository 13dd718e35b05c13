"""Tables: a run as comma-separated values with a header, for robots without ROS.

A row is an instant. Columns: `time` [s], one for each measured quantity of the robot by its name,
and one for each command: by its name, or as `command_NAME` if a quantity has the same name. Numbers
are in SI units and radians. An empty cell was not measured. Other columns are left out. Instead of
a quaternion, a robot in the plane may have `yaw`.
"""

from __future__ import annotations

import csv
import math
from array import array
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TextIO

import numpy as np

from ros_mbmrl.data.foreign.layout import Column, Layout
from ros_mbmrl.data.foreign.samples import NANO, Samples
from ros_mbmrl.data.measurement_messages import nanoseconds
from ros_mbmrl.errors import UserError
from ros_mbmrl.robots.described.sources import Field
from ros_mbmrl.robots.spec import RobotSpec

TIME, YAW = "time", "yaw"
TURN = ("qw", "qx", "qy", "qz")
DELIMITERS = (",", ";", "\t")
LATEST = 9.2e9  # [s], later ones are no integer nanoseconds
LINE_LIMIT = 1 << 20  # characters


def table_layout(spec: RobotSpec) -> Layout:
    """Return a robot's layout whose only topic is a table's rows; fields are names of columns."""
    measured = [q.name for q in spec.measurement]
    commands = {
        limit.name: f"command_{limit.name}" if limit.name in measured else limit.name
        for limit in spec.action
    }
    return Layout(
        spec.name,
        spec.period,
        tuple(Column(q.name, q.unit, "rows", "", Field((q.name,))) for q in spec.measurement),
        tuple(Column(c.name, c.unit, "rows", "", Field((commands[c.name],))) for c in spec.action),
    )


def read_table(path: Path, layout: Layout) -> list[Samples]:
    """Read the samples of a table.

    Raises:
        UserError: it cannot be read, a column is missing, or a row is wrong: with its line.
    """
    times, values = array("q"), array("d")
    wanted = [str(column.field) for column in layout.columns]
    try:
        with open(path, newline="", encoding="utf-8-sig") as stream:
            lines = _lines(path, stream)
            head = next(lines, "")
            names, wanted, delimiter = _header(path, head, wanted)
            places = [names.index(name) for name in (TIME, *wanted)]
            rows = csv.reader(lines, delimiter=delimiter, strict=True)
            for cells in rows:
                if not cells or not any(cell.strip() for cell in cells):
                    continue
                where = f"{path}:{rows.line_num + 1}"
                time, *numbers = _numbers(where, cells, names, places)
                times.append(_time(where, time, times))
                values.extend(numbers)
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not UTF-8 text ({error})") from None
    except csv.Error as error:
        raise UserError(f"{path}:{rows.line_num + 1}: {error}") from None
    return [_samples(path, layout, wanted, times, values)]


def _lines(path: Path, stream: TextIO) -> Iterator[str]:
    """Yield the lines; one that is too long is not read as a whole."""
    number = 0
    while line := stream.readline(LINE_LIMIT + 1):
        number += 1
        if len(line) > LINE_LIMIT or "\0" in line:
            raise UserError(f"{path}:{number}: expected a line of text of a table")
        yield line


def _header(path: Path, line: str, wanted: list[str]) -> tuple[list[str], list[str], str]:
    """Return the columns' names, those that are read, and what is between them."""
    if not line.strip():
        raise UserError(f"{path}: expected a header with {TIME}, {', '.join(wanted)}; got nothing")
    delimiter = max(DELIMITERS, key=line.count)
    names = [name.strip() for name in next(csv.reader([line], delimiter=delimiter))]
    if YAW in names and "z" not in wanted and {*TURN} <= {*wanted} and not {*TURN} & {*names}:
        wanted = [*(name for name in wanted if name not in TURN), YAW]
    for name in (TIME, *wanted):
        if names.count(name) != 1:
            told = "missing" if name not in names else "there more than once"
            raise UserError(
                f"{path}:1: column '{name}' is {told}: expected {TIME}, {', '.join(wanted)}; "
                f"got {', '.join(names)[:300]}"
            )
    return names, wanted, delimiter


def _numbers(
    where: str, cells: Sequence[str], names: Sequence[str], places: Sequence[int]
) -> list[float]:
    if len(cells) != len(names):
        raise UserError(f"{where}: expected {len(names)} cells as in the header, got {len(cells)}")
    found = []
    for place in places:
        text = cells[place].strip()
        try:
            found.append(float(text) if text else math.nan)
        except ValueError:
            hint = " (a point, not a comma, before decimals)" if "," in text else ""
            raise UserError(
                f"{where}: {names[place]}: expected a number{hint}, got '{text[:40]}'"
            ) from None
    return found


def _time(where: str, time: float, times: Sequence[int]) -> int:
    """Return a row's time [ns]."""
    if not 0 <= time < LATEST:
        raise UserError(f"{where}: {TIME}: expected seconds from 0 to {LATEST:g}, got {time:g}")
    ns = nanoseconds(time)
    if len(times) and ns <= times[-1]:
        raise UserError(
            f"{where}: {TIME}: expected a later one than the row before, {times[-1] / NANO:.9g} s, "
            f"got {time:.9g} s; several runs belong into several files"
        )
    return ns


def _samples(
    path: Path, layout: Layout, names: Sequence[str], times: array[int], values: array[float]
) -> Samples:
    if len(times) < 2:
        raise UserError(f"{path}: expected two rows or more, got {len(times)}")
    rows = np.array(values).reshape(len(times), -1)
    rows[~np.isfinite(rows)] = np.nan
    for k, name in enumerate(names):
        if np.isnan(rows[:, k]).all():
            raise UserError(f"{path}: column '{name}' has no number in any row")
    columns = dict(zip(names, rows.T, strict=True))
    fields = [str(column.field) for column in layout.columns]
    if YAW in columns and YAW not in fields:
        half = columns.pop(YAW) / 2
        turn = np.cos(half), 0 * half, 0 * half, np.sin(half)
        columns |= dict(zip(TURN, turn, strict=True))
    ns = np.array(times, dtype=np.int64)
    ordered = np.stack([columns[field] for field in fields], axis=1)
    return Samples("rows", layout.columns, np.arange(len(ns)), ns, None, ordered)
