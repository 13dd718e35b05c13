"""The figures of the thesis's chapter 9 and appendix E, as PNG files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ros_mbmrl.evaluation.plots import panels, save
from ros_mbmrl.evaluation.statistics import Row, unique
from ros_mbmrl.evaluation.study.looks import LOOKS, look


def bars(summary: Sequence[Row], path: Path) -> None:
    """Mean return by condition and method, with 95 % intervals. Thesis fig. 33.

    summary: of `comparisons.returns`. Normalised by the oracle where every condition is.
    """
    normalised = all(row["normalised"] is not None for row in summary)
    name = "normalised" if normalised else "return"
    conditions, methods = unique(summary, "condition"), drawn_order(unique(summary, "method"))
    width = 0.86 / len(methods)
    size = 2.2 + max(1.4, 0.2 * len(methods)) * len(conditions)
    figure, (axes,) = panels(1, min(size, 14.0), 3.6)
    for k, method in enumerate(methods):
        own = [row for row in summary if row["method"] == method]
        x = [conditions.index(r["condition"]) + (k - (len(methods) - 1) / 2) * width for r in own]
        how = look(method)
        heights = [row[name] for row in own]
        fill, edge = ("white", how.colour) if how.hollow else (how.colour, "white")
        axes.bar(x, heights, width, label=how.name, color=fill, hatch=how.hatch, edgecolor=edge)
        for place, row in zip(x, own, strict=True):
            if interval := row[f"{name}_interval"]:
                ends = np.subtract(interval, row[name])[:, None] * [[-1.0], [1.0]]
                axes.errorbar(place, row[name], ends.clip(0), color="k", capsize=1.5, lw=0.9)
    if normalised:
        axes.axhline(1.0, color="k", linestyle=":", linewidth=1.0)
    axes.axhline(0.0, color="k", linewidth=0.6)
    axes.set_xticks(range(len(conditions)), conditions)
    axes.set_ylabel("return / oracle's" if normalised else "return")
    figure.legend(loc="outside right upper", fontsize="small", frameon=False)
    save(figure, path)


def drawn_order(methods: Sequence[Any]) -> list[str]:
    """The methods in the order of their looks, those without one last."""
    known = list(LOOKS)
    return sorted(methods, key=lambda m: known.index(m) if m in known else len(known))
