"""Estimates of continuous causes: how far what is inferred is from the truth, and if it follows it.

A slope or a force has no right or wrong: its error is told beside its true size, which is the error
of who believes that all is well, and the correlation of both over steps and episodes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ros_mbmrl.evaluation.html import Table
from ros_mbmrl.evaluation.statistics import Row, unique
from ros_mbmrl.evaluation.study.comparisons import chosen
from ros_mbmrl.evaluation.study.description import ALL
from ros_mbmrl.evaluation.study.reaction import WINDOWS, window_of
from ros_mbmrl.methods import look
from ros_mbmrl.robots.quantities import Cause
from ros_mbmrl.robots.spec import Array

ESTIMATES = "estimates"  # of a row: see `estimate`; of a summary: see `estimates`


def estimate(
    causes: Sequence[Cause], inferred: Array, truth: Array, period: float
) -> dict[str, dict[str, Any]]:
    """Return the figures of one robot's estimates, by the name of each cause or vector of causes.

    Windows begin when the cause first differs from its default, or with the run if it never does.

    Args:
        causes: of the robot.
        inferred, truth: (T, k) in each control step.
        period: of the control [s].

    Returns:
        unit, and by window (None where no step is in it): error: median length of inferred less
            true; size: median length of the truth less the default; sums: what `_correlation`
            takes.
    """
    groups: dict[str, list[int]] = {}
    for k, cause in enumerate(causes):
        groups.setdefault(cause.vector or cause.name, []).append(k)
    found: dict[str, dict[str, Any]] = {}
    for name, places in groups.items():
        defaults = np.array([causes[k].default for k in places])
        own, real = inferred[:, places] - defaults, truth[:, places] - defaults
        changed = real.any(axis=1)
        begin = float(changed.argmax() * period) if len(real) else 0.0
        figures: dict[str, Any] = {"unit": causes[places[0]].unit}
        figures |= {"error": {}, "size": {}, "sums": {}}
        for window in WINDOWS:
            rows = window_of(window, len(real), begin, period)
            mine, true = own[rows], real[rows]
            figures["error"][window] = _median(mine - true)
            figures["size"][window] = _median(true)
            figures["sums"][window] = _sums(mine.ravel(), true.ravel())
        found[name] = figures
    return found


def _median(vectors: Array) -> float | None:
    """Return the median length of vectors (n, d), None without any."""
    return float(np.median(np.linalg.norm(vectors, axis=1))) if len(vectors) else None


def _sums(a: Array, b: Array) -> list[float]:
    """Return the number of pairs, and the sums of a, b, a a, b b, a b."""
    return [float(x) for x in (len(a), a.sum(), b.sum(), a @ a, b @ b, a @ b)]


def _correlation(sums: Sequence[Sequence[float]]) -> float | None:
    """Return the correlation of all pairs of several sums; None where either does not vary."""
    n, a, b, aa, bb, ab = np.sum(sums, axis=0)
    if n < 2:
        return None
    var_a, var_b = aa / n - (a / n) ** 2, bb / n - (b / n) ** 2
    if min(var_a, var_b) < 1e-9:
        return None
    return float((ab / n - a * b / n**2) / np.sqrt(var_a * var_b))


def estimates(rows: Sequence[Row], methods: Sequence[str]) -> list[dict[str, Any]]:
    """Make a row for each condition (and all of them), method and cause that is estimated.

    error, size: medians over the episodes, by window; correlation: over all steps of them, None
    where the truth is the same in all.
    """
    result = []
    conditions = unique(rows, "condition")
    sets = [(name, [name]) for name in conditions]
    sets += [(ALL, conditions)] if len(conditions) > 1 else []
    for condition, those in sets:
        for method in methods:
            own = [r[ESTIMATES] for r in chosen(rows, method, those) if ESTIMATES in r]
            for cause in own[0] if own else ():
                facts = {"method": method, "condition": condition, "cause": cause, "n": len(own)}
                result.append({**facts, **_summary([each[cause] for each in own])})
    return result


def _summary(own: Sequence[Row]) -> dict[str, Any]:
    figures: dict[str, Any] = {"unit": own[0]["unit"]}
    for name in ("error", "size"):
        known = {w: [e[name][w] for e in own if e[name][w] is not None] for w in WINDOWS}
        figures[name] = {w: float(np.median(found)) for w, found in known.items() if found}
    figures["correlation"] = {w: _correlation([e["sums"][w] for e in own]) for w in WINDOWS}
    return figures


def table(found: Sequence[Row]) -> Table:
    """Return the estimates: a line a condition, method and cause."""
    cells = [
        (
            row["condition"],
            look(row["method"]).name,
            f"{row['cause']} [{row['unit']}]",
            *(_cell(row, window) for window in WINDOWS),
            *(_number(row["correlation"][window]) for window in WINDOWS),
        )
        for row in found
    ]
    errors = (f"error of size, {window}" for window in WINDOWS)
    columns = ("condition", "method", "cause", *errors, *(f"r, {window}" for window in WINDOWS))
    caption = (
        "Estimates of continuous causes, in windows after the change: median error of what is "
        "inferred, of the median size of what it is, and their correlation r over all steps "
        "(none where the truth does not vary)"
    )
    return Table(columns, cells, caption)


def _cell(row: Row, window: str) -> str:
    if window not in row["error"]:
        return ""
    return f"{row['error'][window]:.3g} of {row['size'][window]:.3g}"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"
