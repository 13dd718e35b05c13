"""Pictures of closed-loop experiments, as PNG files; matplotlib is imported to draw one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ros_mbmrl.evaluation.statistics import CROSS_TRACK, unique
from ros_mbmrl.evaluation.statistics import Figure as Measure
from ros_mbmrl.methods.method import COLOURS as COLOURS
from ros_mbmrl.robots.paths import make_path
from ros_mbmrl.robots.spec import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Row = Mapping[str, Any]

# With the colours, line styles that tell 24 methods apart.
STYLES = ("-", "--", "-.")
HATCHES = ("", "//", "..")  # second distinction of bars


def paths(rows: Sequence[Row], path: str, file: Path) -> None:
    """Draw the robots' way on `path`, first seed; a panel for each condition. Thesis fig. 35.

    rows: with `trace` of time [s], x and y [m]; of each method, its first training seed is drawn. A
    cross marks where a fault began on the way.
    """
    first = min(row["seed"] for row in rows)
    conditions, methods = unique(rows, "condition"), unique(rows, "method")
    trained = {row["method"]: row["train_seed"] for row in reversed(rows)}
    figure, grid = panels(len(conditions), 3.6, 3.4)
    shown = [
        row
        for row in rows
        if (row["path"], row["seed"], row["train_seed"]) == (path, first, trained[row["method"]])
    ]
    desired = make_path(path)
    # without the laps that no robot reached
    reached = desired.arc <= max(row["progress_m"] for row in shown)
    for condition, axes in zip(conditions, grid, strict=True):
        axes.plot(*desired.points[reached].T, "k:", linewidth=1.2, label="desired", zorder=3)
        for row in (row for row in shown if row["condition"] == condition):
            k = methods.index(row["method"])
            x, y = row["trace"]["x"], row["trace"]["y"]
            axes.plot(x, y, color=_colour(k), linestyle=_style(k), linewidth=1.2, label=methods[k])
            _mark_fault(axes, row, _colour(k))
        axes.set_title(condition)
        axes.set_aspect("equal", adjustable="datalim")
        axes.set_xlabel("x [m]")
        axes.set_ylabel("y [m]")
    grid[0].legend(fontsize="small")
    save(figure, file)


def _mark_fault(axes: Axes, row: Row, colour: str) -> None:
    trace, seconds = row["trace"], row["counted_from_s"]
    if 0 < seconds <= trace["time"][-1]:
        k = int(np.searchsorted(trace["time"], seconds))
        axes.plot(trace["x"][k], trace["y"][k], "x", color=colour, markersize=8)


def transients(rows: Sequence[Row], file: Path, measure: Measure = CROSS_TRACK) -> None:
    """Draw a figure, as the distance from the path, over time; a panel for each condition.

    Median and inter-quartile band over all episodes and training seeds of a method, as long as half
    of them last. Dotted lines: faults begin.

    Args:
        rows: with `trace` of time [s] and of the figure.
        file: to write.
        measure: the figure.
    """
    conditions, methods = unique(rows, "condition"), unique(rows, "method")
    figure, grid = panels(len(conditions), 4.2, 3.0)
    for condition, axes in zip(conditions, grid, strict=True):
        for k, method in enumerate(methods):
            own = [r for r in rows if (r["condition"], r["method"]) == (condition, method)]
            time, quartiles = _quartiles([row["trace"] for row in own], measure)
            colour = _colour(k)
            axes.fill_between(time, quartiles[0], quartiles[2], color=colour, alpha=0.12, lw=0)
            axes.plot(time, quartiles[1], color=colour, linestyle=_style(k), label=method)
        for onset in {r["counted_from_s"] for r in rows if r["condition"] == condition} - {0.0}:
            axes.axvline(onset, color="k", linestyle=":", linewidth=1.0)
        axes.set_title(condition)
        axes.set_xlabel("time [s]")
        axes.set_ylabel(measure.title)
        if measure is CROSS_TRACK:
            axes.set_ylim(bottom=0.0)
    grid[0].legend(fontsize="x-small", ncols=2)
    save(figure, file)


def _quartiles(
    traces: Sequence[Mapping[str, Sequence[float]]], measure: Measure = CROSS_TRACK
) -> tuple[Array, Array]:
    """Return times (T,) [s] and quartiles (3, T) of a figure, while half of the traces last."""
    lengths = sorted(len(trace["time"]) for trace in traces)
    steps = lengths[len(lengths) // 2]
    distance = np.full((len(traces), steps), np.nan)
    for line, trace in zip(distance, traces, strict=True):
        values = np.asarray(trace[measure.trace][:steps])
        line[: len(values)] = measure.scale * (abs(values) if measure is CROSS_TRACK else values)
    longest = max((trace["time"] for trace in traces), key=len)
    return np.asarray(longest[:steps]), np.nanquantile(distance, [0.25, 0.5, 0.75], axis=0)


@dataclass(frozen=True)
class _Bar:
    """A bar in the group `place` with the colour of `method`. ends: of its whisker."""

    place: str
    method: str
    height: float
    ends: tuple[float, float] | None


def compared(summary: Sequence[Row], file: Path, measure: Measure = CROSS_TRACK) -> None:
    """Draw bars of a figure's mean with 95 % intervals, by condition and method."""
    bars = []
    for row in summary:
        interval, scale = row[measure.interval], measure.scale
        ends = interval and (scale * interval[0], scale * interval[1])
        bars.append(_Bar(row["condition"], row["method"], scale * row[measure.key], ends))
    _draw_bars(bars, f"mean {measure.title}", file)


def error_ratios(summary: Sequence[Row], horizon: int, file: Path) -> None:
    """Draw bars of the ratio to mb at `horizon`, by tag and method; whiskers over training seeds.

    summary: of `mbmrl score`, with at least one ratio. The whiskers go from minimum to maximum.
    """
    bars = [
        _Bar(row["tag"], row["method"], row["ratio_to_mb"], (low, high))
        for row in summary
        if row["horizon"] == horizon and row["ratio_to_mb"] is not None
        for low, high in [(row["ratio_to_mb_min"], row["ratio_to_mb_max"])]
    ]
    _draw_bars(bars, "median error, ratio to mb", file, line=1.0)


def _draw_bars(bars: Sequence[_Bar], label: str, file: Path, line: float | None = None) -> None:
    places = list(dict.fromkeys(bar.place for bar in bars))
    methods = list(dict.fromkeys(bar.method for bar in bars))
    width = 0.85 / len(methods)
    figure, (axes,) = panels(1, 1.5 + max(1.3, 0.2 * len(methods)) * len(places), 3.8)
    for k, method in enumerate(methods):
        own = [bar for bar in bars if bar.method == method]
        shift = (k - (len(methods) - 1) / 2) * width
        x = [places.index(bar.place) + shift for bar in own]
        hatch = HATCHES[k // len(COLOURS) % len(HATCHES)]
        heights = [bar.height for bar in own]
        axes.bar(x, heights, width, label=method, color=_colour(k), hatch=hatch)
        for place, bar in zip(x, own, strict=True):
            if bar.ends is not None:
                error = np.array([[bar.height - bar.ends[0]], [bar.ends[1] - bar.height]])
                axes.errorbar(place, bar.height, error.clip(0), color="k", capsize=2, lw=0.9)
    if line is not None:
        axes.axhline(line, color="k", linestyle=":", linewidth=1.0)
    axes.set_xticks(range(len(places)), places)
    axes.set_ylabel(label)
    figure.legend(loc="outside right upper", fontsize="small")
    save(figure, file)


def prediction_errors(rows: Sequence[Row], file: Path) -> None:
    """Draw histograms of the error before and after adaptation, by method. Thesis fig. 31.

    rows: with `trace` of error_prior and error_adapted, one number for each control step.
    """
    methods = unique(rows, "method")
    figure, grid = panels(len(methods), 3.2, 2.6)
    for method, axes in zip(methods, grid, strict=True):
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
    save(figure, file)


def panels(count: int, width: float, height: float, columns: int = 3) -> tuple[Figure, list[Axes]]:
    """Return a figure of `count` panels of this size [inch], and their axes."""
    from matplotlib.figure import Figure

    columns = min(count, columns)
    lines = -(-count // columns)
    figure = Figure(figsize=(width * columns, height * lines), layout="constrained")
    return figure, [figure.add_subplot(lines, columns, k + 1) for k in range(count)]


def _colour(k: int) -> str:
    return COLOURS[k % len(COLOURS)]


def _style(k: int) -> str:
    return STYLES[k % len(STYLES)]


def save(figure: Figure, file: Path) -> None:
    """Write the PNG file, and create its folder."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    file.parent.mkdir(parents=True, exist_ok=True)
    # As `savefig`, which draws everything twice.
    figure.set_dpi(110)
    FigureCanvasAgg(figure).print_png(str(file))
