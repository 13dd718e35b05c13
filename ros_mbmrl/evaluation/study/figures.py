"""The figures of the thesis's chapter 9 and appendix E, as PNG files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter
from scipy.stats import t  # type: ignore[import-untyped]

from ros_mbmrl.evaluation.plots import COLOURS, panels, save
from ros_mbmrl.evaluation.statistics import Row, unique
from ros_mbmrl.evaluation.study.comparisons import chosen
from ros_mbmrl.methods import METHODS, look
from ros_mbmrl.methods.method import Look
from ros_mbmrl.robots.spec import Array

BEFORE, AFTER = COLOURS[0], COLOURS[1]


def bars(summary: Sequence[Row], path: Path) -> None:
    """Draw the mean return by condition and method, with 95 % intervals. Thesis fig. 33.

    summary: of `summaries.returns`. Normalised by the oracle where every condition is.
    """
    normalised = all(row["normalised"] is not None for row in summary)
    name = "normalised" if normalised else "return"
    conditions, methods = unique(summary, "condition"), in_order(unique(summary, "method"))
    width = 0.86 / len(methods)
    size = 2.4 + max(1.2, 0.15 * len(methods)) * len(conditions)
    figure, (axes,) = panels(1, min(size, 13.0), 3.4)
    for k, method in enumerate(methods):
        own = [row for row in summary if row["method"] == method]
        x = [conditions.index(r["condition"]) + (k - (len(methods) - 1) / 2) * width for r in own]
        how = look(method)
        fill, edge = ("white", how.colour) if how.hollow else (how.colour, "white")
        heights = [row[name] for row in own]
        axes.bar(x, heights, width, label=how.name, color=fill, hatch=how.hatch, edgecolor=edge)
        for place, row in zip(x, own, strict=True):
            _whisker(axes, place, row[name], row[f"{name}_interval"])
    if normalised:
        axes.axhline(1.0, color="k", linestyle=":", linewidth=1.0)
    axes.axhline(0.0, color="k", linewidth=0.6)
    axes.set_xticks(range(len(conditions)), conditions)
    axes.set_ylabel(_return_label(summary) if normalised else "return")
    figure.legend(loc="outside right upper", fontsize="small", frameon=False)
    save(figure, path)


def sample_efficiency(
    curves: Sequence[Row], path: Path, looks: Mapping[str, Look] | None = None
) -> None:
    """Draw the return against training transitions, a panel a condition. Thesis fig. 32.

    curves: a method, train_seed, transitions, condition and return each; mean and
    `over_seeds`. looks: of what is not in the registry, in their order; None: all is.
    """
    conditions, methods = unique(curves, "condition"), in_order(unique(curves, "method"))
    looks = {method: look(method) for method in methods} if looks is None else looks
    figure, grid = beside_legend(len(conditions), 3.3, 2.9)
    for condition, axes in zip(conditions, grid, strict=True):
        for method, how in looks.items():
            style = {"linestyle": how.line, "marker": how.marker, "label": how.name}
            curve(axes, chosen(curves, method, [condition]), color=how.colour, **style)
        over_transitions(axes, condition)
    legend_of_all(figure, grid)
    save(figure, path)


def update_errors(records: Sequence[Row], path: Path) -> None:
    """Draw histograms of the K-step error before and after the update. Thesis fig. 31, 45.

    records: `before` and `after`, a number a window; a line of panels a method, a panel a
    condition, over all training seeds. Dashed: medians. The last bar holds all beyond it.
    """
    conditions, methods = unique(records, "condition"), in_order(unique(records, "method"))
    figure, grid = beside_legend(len(conditions) * len(methods), 2.6, 2.2, len(conditions))
    places = [(method, condition) for method in methods for condition in conditions]
    most = {
        condition: np.quantile(
            [e for r in records if r["condition"] == condition for e in r["before"]], 0.99
        )
        for condition in conditions
    }
    for (method, condition), axes in zip(places, grid, strict=True):
        own = chosen(records, method, [condition])
        before, after = (np.concatenate([r[which] for r in own]) for which in ("before", "after"))
        for values, colour, label in ((before, BEFORE, "before"), (after, AFTER, "after")):
            bins = np.linspace(0.0, max(most[condition], 1e-6), 41)
            axes.hist(
                values.clip(0.0, bins[-1]), bins.tolist(), color=colour, alpha=0.5, label=label
            )
            axes.axvline(float(np.median(values)), color=colour, linestyle="--", linewidth=1.4)
        better = f"{(after < before).mean():.1%}\nbetter after"
        axes.text(0.97, 0.95, better, ha="right", va="top", transform=axes.transAxes, fontsize=8)
        _name_inner(axes, method, condition, "K-step error", "windows")
    legend_of_all(figure, grid)
    save(figure, path)


def error_traces(
    records: Sequence[Row], path: Path, onsets: Mapping[str, float] | None = None
) -> None:
    """Draw the K-step error along one rollout, before and after the update. Thesis fig. 46.

    records: with `before`, `after`, `rollout` and `time` [s], a number a window. The first
    rollout of the first training seed; a line of panels a method, a panel a condition. onsets
    [s]: when the change comes, by condition; dotted.
    """
    conditions, methods = unique(records, "condition"), in_order(unique(records, "method"))
    figure, grid = beside_legend(len(conditions) * len(methods), 2.9, 2.1, len(conditions))
    places = [(method, condition) for method in methods for condition in conditions]
    for (method, condition), axes in zip(places, grid, strict=True):
        first = chosen(records, method, [condition])[0]
        shown = np.asarray(first["rollout"]) == first["rollout"][0]
        time = np.asarray(first["time"])[shown]
        for which, colour in (("before", BEFORE), ("after", AFTER)):
            axes.plot(time, np.asarray(first[which])[shown], color=colour, lw=1.2, label=which)
        if (onset := (onsets or {}).get(condition, 0.0)) > 0:
            axes.axvline(onset, color="k", linestyle=":", linewidth=1.2)
        axes.set_ylim(bottom=0.0)
        _name_inner(axes, method, condition, "time [s]", "K-step error")
    legend_of_all(figure, grid)
    save(figure, path)


def sensitivity(rows: Sequence[Row], path: Path) -> None:
    """Draw learning curves for several T1 = T2, a panel a condition. Thesis fig. 48.

    rows: a window (T1 = T2), train_seed, transitions, condition and return each; mean and
    `over_seeds`.
    """
    conditions, windows = unique(rows, "condition"), sorted(unique(rows, "window"))
    figure, grid = beside_legend(len(conditions), 3.3, 2.9)
    for condition, axes in zip(conditions, grid, strict=True):
        for k, window in enumerate(windows):
            own = [r for r in rows if (r["condition"], r["window"]) == (condition, window)]
            style = {"color": _graded(k, len(windows)), "marker": "osD^v<>"[k % 7]}
            curve(axes, own, label=f"T1 = T2 = {window}", **style)
        _name(axes, condition, "transitions of training", "return")
    legend_of_all(figure, grid)
    save(figure, path)


def training_distribution(rows: Sequence[Row], path: Path) -> None:
    """Draw the return of models trained on forces up to several values. Thesis fig. 47.

    rows: a training_force [N], train_seed, condition and return each; mean and
    `over_seeds`, and a dot for each training seed.
    """
    conditions, forces = unique(rows, "condition"), sorted(unique(rows, "training_force"))
    width = 0.8 / len(forces)
    figure, (axes,) = panels(1, 2.4 + 1.5 * len(conditions), 3.2)
    for k, force in enumerate(forces):
        for place, condition in enumerate(conditions):
            own = [r for r in rows if (r["condition"], r["training_force"]) == (condition, force)]
            by_seed = [[r["return"] for r in own if r["train_seed"] == s] for s in _seeds(own)]
            means = [float(np.mean(values)) for values in by_seed]
            x = place + (k - (len(forces) - 1) / 2) * width
            colour = _graded(k, len(forces))
            label = f"up to {force:g} N" if force else "no force"
            axes.plot([x] * len(means), means, ".", color=colour, alpha=0.45, markersize=5)
            centre, low, high = over_seeds(np.array(means)[:, None])
            axes.plot(
                x,
                centre[0],
                "osD^v<>"[k % 7],
                color=colour,
                label=label if place == 0 else None,
            )
            if len(means) > 1:
                _whisker(axes, x, centre[0], (low[0], high[0]))
    axes.set_xticks(range(len(conditions)), conditions)
    for edge in range(len(conditions) - 1):
        axes.axvline(edge + 0.5, color="#dddddd", linewidth=0.8)
    axes.set_ylabel("return")
    figure.legend(title="trained on", loc="outside right upper", fontsize="small", frameon=False)
    save(figure, path)


def _return_label(summary: Sequence[Row]) -> str:
    scales = {row["normalised_by"] for row in summary}
    if scales == {"oracle"}:
        return "return / oracle's"
    return "normalised return" if len(scales) > 1 else "(return - random) / (oracle - random)"


def over_transitions(axes: Axes, title: str) -> None:
    """Name the axes of a learning curve, the transitions on a logarithmic one."""
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 4.0)))
    axes.xaxis.set_major_formatter(lambda count, _: f"{count / 1000:g}k")
    axes.xaxis.set_minor_formatter(NullFormatter())
    _name(axes, title, "transitions of training", "return")


def in_order(methods: Sequence[Any]) -> list[str]:
    """Return the methods in the order of the registry, those that it does not know last."""
    known = list(METHODS)
    return sorted(methods, key=lambda m: known.index(m) if m in known else len(known))


def curve(axes: Axes, rows: Sequence[Row], name: str = "return", **style: Any) -> None:
    """Draw mean and band of a figure over training seeds, from the k-th point of each seed."""
    curves = [
        sorted((r["transitions"], r[name]) for r in rows if r["train_seed"] == s)
        for s in _seeds(rows)
    ]
    if not curves:
        return
    points = min(map(len, curves))
    values = np.array([curve[:points] for curve in curves], dtype=float)
    x = values[:, :, 0].mean(axis=0)
    centre, low, high = over_seeds(values[:, :, 1])
    axes.plot(x, centre, markersize=3.5, linewidth=1.3, **style)
    if len(curves) > 1:
        axes.fill_between(x, low, high, color=style["color"], alpha=0.13, linewidth=0)


def over_seeds(values: Array) -> tuple[Array, Array, Array]:
    """Return the mean (P,) of values (S, P) and its 95 % interval: Student's t over the seeds.

    Of less than three, of which that says nothing, the least and the most.
    """
    centre, seeds = values.mean(axis=0), len(values)
    if seeds < 3:
        return centre, values.min(axis=0), values.max(axis=0)
    half = t.ppf(0.975, seeds - 1) * values.std(axis=0, ddof=1) / np.sqrt(seeds)
    return centre, centre - half, centre + half


def _seeds(rows: Sequence[Row]) -> list[Any]:
    return unique(rows, "train_seed")


def _graded(k: int, count: int) -> str:
    """Return the k-th of `count` colours, dark to light, without the lightest yellow."""
    return to_hex(matplotlib.colormaps["viridis"](0.88 * k / max(count - 1, 1)))


def _whisker(axes: Axes, x: float, y: float, interval: tuple[float, float] | None) -> None:
    if interval is not None:
        ends = np.array([[y - interval[0]], [interval[1] - y]])
        axes.errorbar(x, y, ends.clip(0), color="k", capsize=1.5, lw=0.9, zorder=1.5)


def _name(axes: Axes, title: str, x: str, y: str) -> None:
    axes.set_title(title)
    axes.set_xlabel(x)
    axes.set_ylabel(y)


def _name_inner(axes: Axes, method: str, condition: str, x: str, y: str) -> None:
    """Name the axes of a panel only at the edges of the figure."""
    place = axes.get_subplotspec()
    assert place is not None
    x, y = x if place.is_last_row() else "", y if place.is_first_col() else ""
    _name(axes, f"{look(method).name}, {condition}", x, y)
    axes.title.set_fontsize("medium")


def legend_of_all(figure: Figure, grid: Sequence[Axes]) -> None:
    """Draw one legend for all panels, beside them."""
    found: dict[str, Any] = {}
    for axes in grid:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            found.setdefault(label, handle)
    places = {"loc": "outside right upper", "fontsize": "small", "frameon": False}
    figure.legend(found.values(), found.keys(), **places)


def beside_legend(
    count: int, width: float, height: float, columns: int = 3
) -> tuple[Figure, list[Axes]]:
    """Make panels with room for a legend beside them."""
    figure, grid = panels(count, width, height, columns)
    figure.set_figwidth(figure.get_figwidth() + 1.5)
    return figure, grid
