"""Tables of closed-loop experiments: the same cells for the terminal and for the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import rich.table
from rich.console import Console
from rich.markup import escape

from ros_mbmrl.evaluation.html import Table
from ros_mbmrl.evaluation.statistics import unique

Row = Mapping[str, Any]


def comparison(summary: Sequence[Row], baseline: str) -> Table:
    """Mean cross-track a condition and method, with its ratio to the baseline and interval."""
    methods = unique(summary, "method")
    rows = []
    for condition in unique(summary, "condition"):
        found = {row["method"]: row for row in summary if row["condition"] == condition}
        rows.append((condition, *(_versus(found[name], baseline) for name in methods)))
    caption = f"Mean cross-track error [cm] (ratio to {baseline}, paired, 95 % interval)"
    return Table(("condition", *methods), rows, caption)


def by_path(rows: Sequence[Row]) -> Table:
    """Mean cross-track a terrain or condition, method and path: table 2 of the thesis."""
    paths = unique(rows, "path")
    cells = []
    for condition in unique(rows, "condition"):
        for method in unique(rows, "method"):
            own = [r for r in rows if (r["condition"], r["method"]) == (condition, method)]
            means = [
                np.mean([r["cross_track_mean_m"] for r in own if r["path"] == p]) for p in paths
            ]
            cells.append((condition, method, *(_cm(float(mean)) for mean in means)))
    return Table(("condition", "method", *paths), cells, "Mean cross-track error [cm] by path")


def details(summary: Sequence[Row]) -> Table:
    """What else there is to say of each method and condition."""
    columns = ("condition", "method", "n", "max [cm]", "progress [cm/s]", "return")
    more = ("error prior", "adapted", "accepted", "stops", "plan [ms]")
    cells = [
        (
            row["condition"],
            row["method"],
            str(row["n"]),
            _cm(row["cross_track_max_m"]),
            f"{100 * row['progress_m_s']:.1f}",
            f"{row['return']:.2f}",
            f"{row['prediction_error_prior']:.3f}",
            f"{row['prediction_error_adapted']:.3f}",
            f"{row['accepted_fraction']:.0%}",
            str(row["safety_stops"]),
            f"{row['plan_ms_p50']:.1f}",
        )
        for row in summary
    ]
    return Table((*columns, *more), cells, "Means over the episodes; stops: episodes safety ended")


def wide_console() -> Console:
    """A console in which no cell of a result is cut: a wrapped line is the lesser evil."""
    console = Console()
    console.width = max(console.width, 120)
    return console


def printed(table: Table) -> rich.table.Table:
    """The table for a terminal."""
    # Escaped: "[cm]" is not markup.
    result = rich.table.Table(title=escape(table.caption), title_justify="left")
    for k, column in enumerate(table.columns):
        result.add_column(escape(column), justify="left" if k == 0 else "right")
    for row in table.rows:
        result.add_row(*map(escape, row))
    return result


def _versus(row: Row, baseline: str) -> str:
    mean = _cm(row["cross_track_mean_m"])
    ratio, interval = row[f"ratio_to_{baseline}"], row[f"ratio_to_{baseline}_interval"]
    if ratio is None or row["method"] == baseline:
        return mean
    between = f", {interval[0]:.2f} to {interval[1]:.2f}" if interval else ""
    return f"{mean} ({ratio:.2f}{between})"


def _cm(metres: float) -> str:
    return f"{100 * metres:.2f}"
