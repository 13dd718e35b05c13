"""Windows of time after a change: how well a method does in them, and how sure that is.

Who uses adaptation asks what the first second after a change costs, what the next two do, and
whether all is as before after that.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ros_mbmrl.evaluation.html import Table
from ros_mbmrl.evaluation.statistics import Row, unique
from ros_mbmrl.evaluation.study.bootstrap import Sample
from ros_mbmrl.evaluation.study.comparisons import chosen, met_by
from ros_mbmrl.evaluation.study.verdicts import listed, number
from ros_mbmrl.methods import look
from ros_mbmrl.robots.spec import Array

# Begin and end of each window after the change [s], by its name.
WINDOWS: Mapping[str, tuple[float, float]] = {
    "0-1 s": (0.0, 1.0),
    "1-3 s": (1.0, 3.0),
    "3 s on": (3.0, math.inf),
}
BY_WINDOW = "return_by_seconds"  # of a row: return a second in each window
TINY = 1e-6  # of a period, for rounding


def first_step(seconds: float, period: float) -> int:
    """Return the first control step that begins at `seconds` or later, as faults begin."""
    return math.ceil(seconds / period - TINY)


def window_of(name: str, steps: int, begin: float, period: float) -> slice:
    """Return those of a run's steps that are in a window after `begin` [s]."""
    low, high = WINDOWS[name]
    end = steps if math.isinf(high) else first_step(begin + high, period)
    return slice(first_step(begin + low, period), end)


def by_window(values: Array, begin: float, period: float) -> dict[str, float | None]:
    """Return the mean of values (T,), one a control step, in each window after `begin` [s].

    None where no step is in the window.
    """
    means: dict[str, float | None] = {}
    for name in WINDOWS:
        own = values[window_of(name, len(values), begin, period)]
        means[name] = float(own.mean()) if len(own) else None
    return means


def reactions(rows: Sequence[Row], methods: Sequence[str]) -> list[dict[str, Any]]:
    """Make a row for each condition and method: return a second and its standard error, by window.

    A window that no episode reaches is left out, and so are rows that were kept before windows
    were.
    """
    result = []
    for condition in unique(rows, "condition"):
        for method in methods:
            own = [r for r in chosen(rows, method, [condition]) if r.get(BY_WINDOW)]
            found = {name: _mean(own, name) for name in WINDOWS}
            if known := {name: each for name, each in found.items() if each is not None}:
                result.append(
                    {
                        "method": method,
                        "condition": condition,
                        "return": {name: mean for name, (mean, _) in known.items()},
                        "standard_error": {name: error for name, (_, error) in known.items()},
                    }
                )
    return result


def _mean(rows: Sequence[Row], window: str) -> tuple[float, float | None] | None:
    """Return the mean over training seeds and episodes, and its standard error."""
    known = {met_by(row): row[BY_WINDOW][window] for row in rows}
    known = {key: value for key, value in known.items() if value is not None}
    if not known:
        return None
    sample = Sample.of(known)
    return sample.mean, sample.standard_error


def without_windows(rows: Sequence[Row]) -> str:
    """Return a sentence about methods with rows older than windows; empty without any."""
    old = [look(method).name for method in unique(rows, "method") if _is_old(rows, method)]
    if not old:
        return ""
    return f"Judged before windows were kept, so without them: {listed(old)}."


def _is_old(rows: Sequence[Row], method: str) -> bool:
    return any(row["method"] == method and BY_WINDOW not in row for row in rows)


def table(found: Sequence[Row]) -> Table:
    """Return the returns by window: a line a condition and method, a column a window."""
    windows = [name for name in WINDOWS if any(name in row["return"] for row in found)]
    cells = [
        (row["condition"], look(row["method"]).name, *(_cell(row, name) for name in windows))
        for row in found
    ]
    caption = (
        "Return a second in windows after the change, or after the start where it is there from "
        "the start; standard errors in brackets"
    )
    return Table(("condition", "method", *windows), cells, caption)


def _cell(row: Row, window: str) -> str:
    if window not in row["return"]:
        return ""
    return with_error(row["return"][window], row["standard_error"][window])


def with_error(value: float, error: float | None) -> str:
    """Write a value with its standard error, as 1.23 (0.10)."""
    known = error is not None and np.isfinite(error)
    return number(value) + (f" ({number(error)})" if known and error is not None else "")
