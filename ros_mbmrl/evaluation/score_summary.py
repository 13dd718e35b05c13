"""Summary of `mbmrl score` over training seeds: the figures of a method, and their tables."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ros_mbmrl.evaluation.html import Table
from ros_mbmrl.evaluation.statistics import ALL, unique
from ros_mbmrl.methods.built_in import BASELINE

# Ending of a figure's name, by its unit: the column of the rows, and the factor to it.
UNITS = {"": ("median", 1.0), "_m": ("median_m", 1.0), "_deg": ("median_rad", 180 / math.pi)}
LARGEST = ("worst_ratio", "window_worst_ratio")
MEANS = ("improved_fraction", "worse_than_1_05_fraction", "accepted_fraction")

Row = Mapping[str, Any]
Cell = Mapping[str, float]
Cells = dict[tuple[str, str, int], dict[Any, Cell]]  # method, tag, horizon; training seed


def summarise(rows: Sequence[Row], average: str) -> list[dict[str, Any]]:
    """Return a row for each method, tag and horizon, and for the tag `average`, the mean over tags.

    rows: of `mbmrl score`. For each of the medians X (median, normalised; median_m [m]; median_deg
    [deg]): X_prior and X_adapted, means over the training seeds, and ratio_to_mb, ratio_to_mb_m,
    ratio_to_mb_deg. A ratio is the mean of the adapted median over the baseline's adapted one of
    the same training seed, or over the mean of its seeds if it lacks that one (None without a
    baseline). Minimum and maximum over the training seeds are under each name with _min and _max.
    Worst ratios give the largest, fractions the mean. n: windows.
    """
    cells = _cells(rows)
    for (method, tag, horizon), own in list(cells.items()):
        base = cells.get((BASELINE, tag, horizon), {})
        cells[method, tag, horizon] = {
            seed: {**cell, **_ratios(cell, base.get(seed) or _mean(base.values()))}
            for seed, cell in own.items()
        }
    methods, tags, horizons = (unique(rows, key) for key in ("model", "tag", "horizon"))
    for method in methods:
        for horizon in horizons:
            several = [cells[method, tag, horizon] for tag in tags if tag != ALL]
            cells[method, average, horizon] = {
                seed: {
                    **_mean(own[seed] for own in several),
                    "n": sum(o[seed]["n"] for o in several),
                }
                for seed in several[0]
            }
    return [
        _row(method, tag, horizon, cells[method, tag, horizon])
        for method in methods
        for tag in (*tags, average)
        for horizon in horizons
    ]


def _cells(rows: Sequence[Row]) -> Cells:
    """Return the figures of every training seed. rows: prior's and adapted model's in turn."""
    cells: Cells = {}
    for prior, adapted in zip(rows[::2], rows[1::2], strict=True):
        cell = {name: adapted[name] for name in ("n", *LARGEST, *MEANS)}
        for unit, (column, factor) in UNITS.items():
            cell[f"median{unit}_prior"] = factor * prior[column]
            cell[f"median{unit}_adapted"] = factor * adapted[column]
        key = prior["model"], prior["tag"], prior["horizon"]
        cells.setdefault(key, {})[prior["train_seed"]] = cell
    return cells


def _ratios(cell: Cell, base: Cell) -> dict[str, float]:
    """Return the ratios of the adapted medians; none if the baseline did not take part."""
    if not base:
        return {}
    pairs = {unit: [c[f"median{unit}_adapted"] for c in (cell, base)] for unit in UNITS}
    return {f"ratio_to_{BASELINE}{u}": own / max(other, 1e-12) for u, (own, other) in pairs.items()}


def _mean(cells: Iterable[Cell]) -> dict[str, float]:
    """Return the mean of each figure, but the largest of the worst ratios."""
    several = list(cells)
    combine = {name: max if name in LARGEST else np.mean for name in (several or [{}])[0]}
    return {name: float(way([c[name] for c in several])) for name, way in combine.items()}


def _row(method: str, tag: str, horizon: int, own: Mapping[Any, Cell]) -> dict[str, Any]:
    mean = _mean(own.values())
    row: dict[str, Any] = {"method": method, "tag": tag, "horizon": horizon}
    row |= {"n": int(mean["n"]), "n_train_seeds": len(own)}
    medians = [f"median{unit}_{adapter}" for unit in UNITS for adapter in ("prior", "adapted")]
    for name in (*medians, *(f"ratio_to_{BASELINE}{unit}" for unit in UNITS)):
        values = [cell[name] for cell in own.values() if name in cell]
        row[name] = mean.get(name)
        row[f"{name}_min"] = min(values, default=None)
        row[f"{name}_max"] = max(values, default=None)
    return row | {name: mean[name] for name in (*LARGEST, *MEANS)}


def ratios(summary: Sequence[Row]) -> Table:
    """Return a table of the adapted medians, and their ratios to mb: mean, range over seeds."""
    units = {"": ("normalised", 1.0), "_m": ("cm", 100.0), "_deg": ("deg", 1.0)}
    headings = (text for unit, _ in units.values() for text in (f"[{unit}]", "ratio to mb"))
    cells = []
    for row in summary:
        figures: list[str] = []
        for unit, (_, factor) in units.items():
            figures += (f"{factor * row[f'median{unit}_adapted']:.3g}", _spread(row, unit))
        counts = (str(row[key]) for key in ("horizon", "n_train_seeds", "n"))
        cells.append((row["method"], row["tag"], *counts, *figures))
    columns = ("method", "tag", "steps", "seeds", "windows", *headings)
    caption = "Median error of adapted models; ratios paired by training seed, mean (least to most)"
    return Table(columns, cells, caption)


def adaptation(summary: Sequence[Row]) -> Table:
    """Return a table of prior against adapted: medians, how often and how far it was worse."""
    columns = ("method", "tag", "steps", "normalised", "[cm]", "[deg]", "better", "worse > 5 %")
    cells = [
        (
            row["method"],
            row["tag"],
            str(row["horizon"]),
            *(_both(row, unit, scale) for unit, scale in (("", 1.0), ("_m", 100.0), ("_deg", 1.0))),
            f"{row['improved_fraction']:.0%}",
            f"{row['worse_than_1_05_fraction']:.0%}",
            f"{row['worst_ratio']:.1f}",
            f"{row['window_worst_ratio']:.2f}",
            f"{row['accepted_fraction']:.0%}",
        )
        for row in summary
    ]
    caption = "Median error, prior > adapted; worst: largest ratio of adapted to prior in a window"
    return Table((*columns, "worst, at the step", "over the steps", "accepted"), cells, caption)


def windows(rows: Sequence[Row], group: str, chosen_on: Sequence[str] = ()) -> Table:
    """Return a table of errors by window, relative to no adaptation, with intervals over runs."""
    cells = []
    for row in rows:
        figures = [
            f"{row[name]:.3g} ({row[f'{name}_ratio']:.3f}{_within(row[f'{name}_ratio_interval'])})"
            for name in ("yaw_deg", "speed_m_s")
        ]
        where = f"{row['group']}, chosen on" if row["group"] in chosen_on else row["group"]
        window = str(row["window"] or "rest of the run")
        counts = (str(row["horizon"]), str(row["runs"]))
        options = ", ".join(f"{name} {value:g}" for name, value in row["options"].items())
        ends = (f"{row['evidence']:.3f}", options, f"{row['accepted_fraction']:.0%}")
        cells.append((row["method"], window, where, *counts, *figures, *ends))
    errors = ("yaw [deg]", "speed [m/s]")
    columns = ("method", "window", group, "steps", "runs", *errors, "nats a row", "options")
    caption = "Error by window (ratio to no adaptation, 95 % interval by bootstrap over runs)"
    return Table((*columns, "accepted"), cells, caption)


def _within(interval: Sequence[float] | None) -> str:
    return "" if interval is None else f", {interval[0]:.3f} to {interval[1]:.3f}"


def _spread(row: Row, unit: str) -> str:
    mean, low, high = (row[f"ratio_to_{BASELINE}{unit}{end}"] for end in ("", "_min", "_max"))
    if mean is None or row["method"] == BASELINE:
        return ""
    between = f" ({low:.3f} to {high:.3f})" if row["n_train_seeds"] > 1 else ""
    return f"{mean:.3f}{between}"


def _both(row: Row, unit: str, scale: float) -> str:
    prior, adapted = (scale * row[f"median{unit}_{name}"] for name in ("prior", "adapted"))
    return f"{prior:.3g} > {adapted:.3g}"
