"""Tables of closed-loop experiments: the same cells for the terminal and for the page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import rich.table
from rich.console import Console
from rich.markup import escape

from ros_mbmrl.evaluation.html import Table
from ros_mbmrl.evaluation.statistics import CROSS_TRACK, Figure, unique

Row = Mapping[str, Any]


def comparison(
    summary: Sequence[Row],
    versus: Sequence[str],
    figure: Figure = CROSS_TRACK,
    before: str = "",
) -> Table:
    """Return a figure's mean by condition and method, its ratios to the opponents, and a verdict.

    typical ratio: of geometric means. Ratios that nothing has are left out.

    Args:
        summary: of `statistics.summarise`.
        versus: opponents.
        figure: that is compared.
        before: key of the same figure before the fault; empty: without.
    """
    ratios = [f"{kind}ratio_to_{x}" for kind in ("", "typical_") for x in versus]
    ratios = [name for name in ratios if any(row[name] is not None for row in summary)]
    cells = []
    for row in summary:
        worse = [name for name in versus if row[f"worse_than_{name}"]]
        earlier = (figure.shown(row[before]),) if before else ()
        mean = figure.shown(row[figure.key]) + _between(row[figure.interval], figure.shown)
        beside = (_ratio(row, name) for name in ratios)
        verdict = f"worse than {', '.join(worse)}" if worse else ""
        cells.append((row["condition"], row["method"], *earlier, mean, *beside, verdict))
    shown = (f"{figure.title} before", f"{figure.title} after") if before else (figure.title,)
    named = (name.replace("_", " ") for name in ratios)
    columns = ("condition", "method", *shown, *named, "beyond noise")
    return Table(columns, cells, f"Mean {figure.label}; {interval_note(summary)}")


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


def training_seeds(rows: Sequence[Row], figure: Figure = CROSS_TRACK) -> Table:
    """Return a line per method, a column per seed. rows: of `statistics.by_train_seed`."""
    seeds = unique(rows, "train_seed")
    cells = []
    for method in unique(rows, "method"):
        own = {r["train_seed"]: r[figure.key] for r in rows if r["method"] == method}
        means = (figure.shown(own[seed]) if seed in own else "" for seed in seeds)
        spread = figure.shown(float(np.std(list(own.values()), ddof=1))) if len(own) > 1 else ""
        cells.append((method, *means, spread))
    columns = ("method", *(f"seed {seed}" for seed in seeds), "standard deviation")
    return Table(columns, cells, f"Mean {figure.title} over all conditions by training seed")


# Further figures: column, key in a summary, and how it is shown.
DETAILS: tuple[tuple[str, str, Callable[[Any], str]], ...] = (
    ("training seeds", "n_train_seeds", str),
    ("episodes", "n_episodes", str),
    ("max [cm]", "cross_track_max_m", lambda metres: _cm(metres)),
    ("progress [cm/s]", "progress_m_s", lambda speed: f"{100 * speed:.1f}"),
    ("return", "return", lambda value: f"{value:.2f}"),
    ("error prior", "prediction_error_prior", lambda error: f"{error:.3f}"),
    ("adapted", "prediction_error_adapted", lambda error: f"{error:.3f}"),
    ("accepted", "accepted_fraction", lambda share: f"{share:.0%}"),
    ("stops", "safety_stops", str),
    ("plan [ms]", "plan_ms_p50", lambda ms: f"{ms:.1f}"),
)


def details(summary: Sequence[Row]) -> Table:
    """Return a table of the other figures of each method and condition, those that there are."""
    shown = [each for each in DETAILS if each[1] in summary[0]]
    columns = ("condition", "method", *(column for column, _, _ in shown))
    cells = [
        (row["condition"], row["method"], *(show(row[key]) for _, key, show in shown))
        for row in summary
    ]
    return Table(columns, cells, "Means over the episodes; stops: episodes safety ended")


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


def _ratio(row: Row, name: str) -> str:
    if row[name] is None or row["method"] == name.rpartition("ratio_to_")[2]:
        return ""
    return f"{row[name]:.2f}" + _between(row[f"{name}_interval"])


def _between(
    interval: tuple[float, float] | None, shown: Callable[[float], str] = "{:.2f}".format
) -> str:
    return f" ({shown(interval[0])} to {shown(interval[1])})" if interval else ""


def _cm(metres: float) -> str:
    return f"{100 * metres:.2f}"
