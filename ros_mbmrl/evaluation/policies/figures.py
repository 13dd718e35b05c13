"""Figures of chapters 4 to 6 of the thesis, as PNG files; curves are those of chapter 9."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import numpy as np
from matplotlib.axes import Axes

from ros_mbmrl.evaluation.plots import panels, save
from ros_mbmrl.evaluation.policies.description import Drawn, Figure
from ros_mbmrl.evaluation.policies.summary import newest
from ros_mbmrl.evaluation.statistics import Row, unique
from ros_mbmrl.evaluation.study.comparisons import chosen
from ros_mbmrl.evaluation.study.figures import (
    beside_legend,
    curve,
    legend_of_all,
    over_transitions,
    sample_efficiency,
)
from ros_mbmrl.methods.method import Look

TASKS = 4  # whose paths are drawn


def draw(figure: Figure, rows: Sequence[Row], looks: Mapping[str, Look], path: Path) -> bool:
    """Draw what a figure shows of the rows, see `training.train`; tell whether there is any.

    looks: of the entries, by name.
    """
    own = [
        row
        for row in rows
        if row["method"] in figure.entries and row["condition"] in figure.environments
    ]
    if needed := NEEDED.get(figure.drawn):
        own = [row for row in own if row.get(needed) is not None]
    if not own:
        return False
    shown = {name: looks[name] for name in figure.entries if name in unique(own, "method")}
    DRAWS[figure.drawn](own, path, shown)
    return True


def optimism(rows: Sequence[Row], path: Path, looks: Mapping[str, Look]) -> None:
    """Draw the real return and the one in the models (dashed), a panel an environment and entry.

    Thesis fig. 36. Mean and `over_seeds` over training seeds.
    """
    places = [(place, name) for place in unique(rows, "condition") for name in looks]
    figure, grid = beside_legend(len(places), 3.0, 2.6, len(looks))
    for (place, name), axes in zip(places, grid, strict=True):
        own, how = chosen(rows, name, [place]), looks[name]
        curve(axes, own, color=how.colour, marker=how.marker, label="real")
        dashed = {"color": "k", "linestyle": "--", "label": "in the models"}
        curve(axes, own, "imagined", **dashed)
        over_transitions(axes, f"{how.name}, {place}")
        axes.title.set_fontsize("small")
    legend_of_all(figure, grid)
    save(figure, path)


def paths(rows: Sequence[Row], path: Path, looks: Mapping[str, Look]) -> None:
    """Draw paths while exploring (above) and after adaptation (below), a column an entry.

    Thesis fig. 16. The first training seed's last point, a colour a task; crosses: goals.
    """
    figure, grid = panels(2 * len(looks), 2.6, 2.6, len(looks))
    for k, (name, how) in enumerate(looks.items()):
        told = _first_curve_end(rows, name)["paths"]
        for which, axes in (("explored", grid[k]), ("after", grid[len(looks) + k])):
            _paths(axes, told[which], told["goals"])
            axes.set_title(f"{how.name}, {'exploring' if which == 'explored' else 'adapted'}")
            axes.title.set_fontsize("small")
    save(figure, path)


def plasticity(rows: Sequence[Row], path: Path, looks: Mapping[str, Look]) -> None:
    """Draw the models' disagreement (above) and the divergence by adaptation (below).

    Thesis fig. 11. The first training seed's last point, a column an entry.
    """
    figure, grid = panels(2 * len(looks), 3.4, 2.8, len(looks))
    for k, (name, how) in enumerate(looks.items()):
        told = _first_curve_end(rows, name)["plasticity"]
        x, y = np.asarray(told["states"]).T
        shown = (("disagreement", grid[k]), ("divergence", grid[len(looks) + k]))
        for which, axes in shown:
            image = axes.tripcolor(x, y, told[which], shading="gouraud")
            figure.colorbar(image, ax=axes)
            axes.set_title(f"{how.name}, {which}", fontsize="small")
            axes.set_aspect("equal")
        grid[len(looks) + k].set_xlabel(f"x [m]; correlation {told['correlation']:.2f}")
    save(figure, path)


def _first_curve_end(rows: Sequence[Row], name: str) -> Row:
    """Return the last point of an entry's first training seed."""
    return newest([row for row in rows if row["method"] == name])[0]


def _paths(axes: Axes, each: Sequence[Sequence[Sequence[float]]], goals: Sequence[Row]) -> None:
    """Draw the first tasks that differ in their goals."""
    tasks = list({str(goal): k for k, goal in reversed(list(enumerate(goals)))}.values())
    for colour, k in enumerate(sorted(tasks or range(len(each)))[:TASKS]):
        x, y = np.asarray(each[k]).T
        axes.plot(x, y, color=f"C{colour}", linewidth=1.0)
        if goals:
            axes.plot(*np.asarray(goals[k])[:2], "x", color=f"C{colour}", markersize=9)
    axes.set_aspect("equal", adjustable="datalim")
    axes.set_xlabel("x [m]")
    axes.set_ylabel("y [m]")


DRAWS: Mapping[Drawn, Callable[[Sequence[Row], Path, Mapping[str, Look]], None]] = MappingProxyType(
    {
        Drawn.RETURNS: sample_efficiency,
        Drawn.OPTIMISM: optimism,
        Drawn.PATHS: paths,
        Drawn.PLASTICITY: plasticity,
    }
)
# The part of a row that a figure is of, beside the return.
NEEDED: Mapping[Drawn, str] = MappingProxyType(
    {Drawn.OPTIMISM: "imagined", Drawn.PATHS: "paths", Drawn.PLASTICITY: "plasticity"}
)
