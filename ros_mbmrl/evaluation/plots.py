"""Pictures of closed-loop experiments, as PNG files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ros_mbmrl.evaluation.statistics import unique
from ros_mbmrl.robots.paths import make_path

Row = Mapping[str, Any]

# Okabe and Ito's colours, told apart by everybody.
COLOURS = ("#666666", "#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9")


def paths(rows: Sequence[Row], path: str, file: Path) -> None:
    """Where the robots went on `path`, first seed; a panel a condition. Thesis fig. 35.

    rows: with `trace` of time [s], x and y [m]. A cross marks where a fault set in on the way.
    """
    first = min(row["seed"] for row in rows)
    conditions, methods = unique(rows, "condition"), unique(rows, "method")
    figure, panels = _panels(len(conditions), 3.6, 3.4)
    shown = [row for row in rows if row["path"] == path and row["seed"] == first]
    desired = make_path(path)
    # Not the laps that nobody came to.
    reached = desired.arc <= max(row["progress_m"] for row in shown)
    for condition, axes in zip(conditions, panels, strict=True):
        axes.plot(*desired.points[reached].T, "k:", linewidth=1.2, label="desired", zorder=3)
        for row in (row for row in shown if row["condition"] == condition):
            k = methods.index(row["method"])
            x, y = row["trace"]["x"], row["trace"]["y"]
            axes.plot(x, y, color=_colour(k), linewidth=1.2, label=methods[k])
            _mark_fault(axes, row, _colour(k))
        axes.set_title(condition)
        axes.set_aspect("equal", adjustable="datalim")
        axes.set_xlabel("x [m]")
        axes.set_ylabel("y [m]")
    panels[0].legend(fontsize="small")
    _save(figure, file)


def _mark_fault(axes: Axes, row: Row, colour: str) -> None:
    trace, seconds = row["trace"], row["counted_from_s"]
    if 0 < seconds <= trace["time"][-1]:
        k = int(np.searchsorted(trace["time"], seconds))
        axes.plot(trace["x"][k], trace["y"][k], "x", color=colour, markersize=8)


def cross_track(summary: Sequence[Row], file: Path) -> None:
    """Bars of mean cross-track with 95 % intervals, by condition and method."""
    conditions, methods = unique(summary, "condition"), unique(summary, "method")
    figure, (axes,) = _panels(1, 1.5 + 1.4 * len(conditions), 3.6)
    width = 0.8 / len(methods)
    for k, method in enumerate(methods):
        own = [row for row in summary if row["method"] == method]
        places = np.arange(len(own)) + (k - (len(methods) - 1) / 2) * width
        means = np.array([100 * row["cross_track_mean_m"] for row in own])
        axes.bar(places, means, width, color=_colour(k), label=method)
        for place, mean, row in zip(places, means, own, strict=True):
            if row["cross_track_interval_m"] is not None:
                low, high = (100 * end for end in row["cross_track_interval_m"])
                axes.errorbar(place, mean, [[mean - low], [high - mean]], color="k", capsize=2)
    axes.set_xticks(range(len(conditions)), conditions)
    axes.set_ylabel("mean cross-track error [cm]")
    axes.legend(fontsize="small")
    _save(figure, file)


def prediction_errors(rows: Sequence[Row], file: Path) -> None:
    """Histograms of the error before and after adaptation, a panel a method. Thesis fig. 31.

    rows: with `trace` of error_prior and error_adapted, one number a control step.
    """
    methods = unique(rows, "method")
    figure, panels = _panels(len(methods), 3.2, 2.6)
    for method, axes in zip(methods, panels, strict=True):
        own = [row["trace"] for row in rows if row["method"] == method]
        before, after = (
            np.concatenate([trace[name] for trace in own])
            for name in ("error_prior", "error_adapted")
        )
        bins = np.linspace(0.0, max(float(np.quantile(before, 0.99)), 1e-3), 40).tolist()
        for values, colour, label in (
            (before, COLOURS[0], "before"),
            (after, COLOURS[3], "after"),
        ):
            mean = f"{label}, mean {values.mean():.3f}"
            axes.hist(values, bins, color=colour, alpha=0.55, label=mean)
        axes.set_title(method)
        axes.set_xlabel("normalised prediction error")
        axes.set_ylabel("control steps")
        axes.legend(fontsize="small")
    _save(figure, file)


def _panels(count: int, width: float, height: float, columns: int = 3) -> tuple[Figure, list[Axes]]:
    columns = min(count, columns)
    lines = -(-count // columns)
    figure = Figure(figsize=(width * columns, height * lines), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, [figure.add_subplot(lines, columns, k + 1) for k in range(count)]


def _colour(k: int) -> str:
    return COLOURS[k % len(COLOURS)]


def _save(figure: Figure, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=110)
