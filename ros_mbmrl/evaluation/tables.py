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


def comparison(summary: Sequence[Row], versus: Sequence[str]) -> Table:
    """Return mean cross-track by condition and method, its ratios to the opponents, and a verdict.

    typical ratio: of geometric means.
    """
    cells = []
    for row in summary:
        worse = [name for name in versus if row[f"worse_than_{name}"]]
        ratios = (_ratio(row, kind, x) for kind in ("", "typical_") for x in versus)
        mean = _cm(row["cross_track_mean_m"]) + _between(row["cross_track_interval_m"], 100.0)
        verdict = f"worse than {', '.join(worse)}" if worse else ""
        cells.append((row["condition"], row["method"], mean, *ratios, verdict))
    opponents = (f"{kind}ratio to {x}" for kind in ("", "typical ") for x in versus)
    columns = ("condition", "method", "cross-track [cm]", *opponents, "beyond noise")
    return Table(columns, cells, f"Mean cross-track error; {interval_note(summary)}")


def interval_note(summary: Sequence[Row]) -> str:
    """Return a note for a caption about what the intervals cover."""
    counts = sorted({row["n_train_seeds"] for row in summary})
    if counts[-1:] <= [1]:
        over = "over the episodes only: of one training seed, what another gives they do not say"
    else:
        over = f"over {' to '.join(map(str, counts))} training seeds and the episodes"
        if counts[0] == 1:
            over += ", over the episodes only where a method has one training seed"
    return f"95 % bootstrap intervals {over}"


def by_path(rows: Sequence[Row]) -> Table:
    """Return mean cross-track by terrain or condition, method and path: table 2 of the thesis."""
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


def training_seeds(rows: Sequence[Row]) -> Table:
    """Return a line per method, a column per seed. rows: of `statistics.by_train_seed`."""
    seeds = unique(rows, "train_seed")
    cells = []
    for method in unique(rows, "method"):
        own = {r["train_seed"]: r["cross_track_mean_m"] for r in rows if r["method"] == method}
        means = (_cm(own[seed]) if seed in own else "" for seed in seeds)
        spread = _cm(float(np.std(list(own.values()), ddof=1))) if len(own) > 1 else ""
        cells.append((method, *means, spread))
    columns = ("method", *(f"seed {seed}" for seed in seeds), "standard deviation")
    return Table(columns, cells, "Mean cross-track error [cm] over all conditions by training seed")


def details(summary: Sequence[Row]) -> Table:
    """Return a table of the other figures of each method and condition."""
    columns = ("condition", "method", "training seeds", "episodes", "max [cm]", "progress [cm/s]")
    more = ("return", "error prior", "adapted", "accepted", "stops", "plan [ms]")
    cells = [
        (
            row["condition"],
            row["method"],
            str(row["n_train_seeds"]),
            str(row["n_episodes"]),
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
    """Return a console in which no cell of a result is cut; long lines wrap instead."""
    console = Console()
    console.width = max(console.width, 140)
    return console


def printed(table: Table) -> rich.table.Table:
    """Return the table for a terminal."""
    # Escaped: "[cm]" is not markup.
    result = rich.table.Table(title=escape(table.caption), title_justify="left")
    for k, column in enumerate(table.columns):
        result.add_column(escape(column), justify="left" if k == 0 else "right")
    for row in table.rows:
        result.add_row(*map(escape, row))
    return result


def _ratio(row: Row, kind: str, opponent: str) -> str:
    ratio = row[f"{kind}ratio_to_{opponent}"]
    if ratio is None or row["method"] == opponent:
        return ""
    return f"{ratio:.2f}" + _between(row[f"{kind}ratio_to_{opponent}_interval"])


def _between(interval: tuple[float, float] | None, unit: float = 1.0) -> str:
    return f" ({unit * interval[0]:.2f} to {unit * interval[1]:.2f})" if interval else ""


def _cm(metres: float) -> str:
    return f"{100 * metres:.2f}"
