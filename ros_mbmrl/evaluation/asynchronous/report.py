"""Report of the study of asynchronous learning: figures 24 to 27, then the numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ros_mbmrl.evaluation.asynchronous.description import (
    ARMS,
    OPEN,
    PANELS,
    TIME,
    TITLE,
    TRANSITIONS,
    Panel,
    Scale,
)
from ros_mbmrl.evaluation.asynchronous.summary import summarise
from ros_mbmrl.evaluation.html import Block, Image, Section, Table, write_page
from ros_mbmrl.evaluation.plots import save
from ros_mbmrl.evaluation.statistics import Row, unique
from ros_mbmrl.evaluation.study.figures import beside_legend, curve, legend_of_all
from ros_mbmrl.evaluation.study.report import PAGE, write_summary

AXES: Mapping[str, str] = {TIME: "wall clock [s]", TRANSITIONS: "real transitions"}


def write_report(out: Path, scale: Scale, rows: Sequence[Row]) -> tuple[Path, dict[str, Any]]:
    """Write report.html, summary.json and pictures into `out`.

    Args:
        out: folder.
        scale: of the study.
        rows: see `run.learn`.

    Returns:
        The path of the page, and the summary.
    """
    summary = summarise(rows)
    write_summary(out, summary)
    sections: list[Section] = []
    for panel in PANELS:
        picture = out / panel.file
        if draw(panel, rows, picture):
            caption = f"Return without exploration against {AXES[panel.against]}; mean over seeds"
            sections.append((f"Figure {panel.number}: {panel.title}", [Image(picture, caption)]))
    sections.append(("Figures in numbers", list(tables(summary))))
    left: list[Block] = [f"Figure {number}: {why}" for number, why in OPEN.items()]
    sections.append(("What is left out", left))
    sections.append(("Protocol", protocol(scale)))
    page = out / PAGE
    write_page(page, TITLE, sections)
    return page, summary


def draw(panel: Panel, rows: Sequence[Row], path: Path) -> bool:
    """Draw a figure, a panel an environment; tell whether at least two of its arms are there."""
    own = [row for row in rows if row["method"] in panel.arms]
    if len(unique(own, "method")) < 2:
        return False
    places = unique(own, "condition")
    figure, grid = beside_legend(len(places), 3.4, 2.8, len(panel.arms))
    for place, axes in zip(places, grid, strict=True):
        for name in panel.arms:
            points = [
                {**point, "train_seed": row["train_seed"], "transitions": point[panel.against]}
                for row in own
                if row["method"] == name and row["condition"] == place
                for point in row["curve"]
            ]
            look = ARMS[name].look
            style = {"color": look.colour, "marker": look.marker, "linestyle": look.line}
            curve(axes, points, label=look.name, **style)
        axes.set_title(place, fontsize="small")
        axes.set_xlabel(AXES[panel.against])
        axes.set_ylabel("return")
    legend_of_all(figure, grid)
    save(figure, path)
    return True


def tables(summary: Mapping[str, Any]) -> tuple[Table, ...]:
    """Return the tables of a summary that have rows."""
    found = (ends(summary["ends"]), reached(summary["reached"]))
    return tuple(table for table in found if table.rows)


def ends(rows: Sequence[Row]) -> Table:
    """Return the ends of all curves."""
    cells = [
        (
            row["condition"],
            ARMS[row["method"]].look.name,
            str(row["train_seed"]),
            f"{row['time_s']:.0f}",
            str(row["transitions"]),
            f"{row['return']:.4g}",
            f"{row['best']:.4g}",
            str(row["policy_version"]),
            str(row["model_version"]),
        )
        for row in rows
    ]
    columns = ("environment", "arm", "seed", "time [s]", "transitions", "return", "best")
    caption = "Ends of the curves; updates and epochs that policy and model have got"
    return Table((*columns, "updates", "epochs"), cells, caption)


def reached(rows: Sequence[Row]) -> Table:
    """Return what each arm needed for the synchronous arm's best return."""
    cells = [
        (
            row["condition"],
            ARMS[row["method"]].look.name,
            str(row["train_seed"]),
            f"{row['level']:.4g}",
            *(_needed(row, figure, unit) for figure, unit in ((TIME, " s"), (TRANSITIONS, ""))),
        )
        for row in rows
        if row["level"] is not None
    ]
    columns = ("environment", "arm", "seed", "best return of the synchronous arm")
    caption = "Needed for that return: by the arm, by the synchronous arm, and the ratio"
    return Table((*columns, "time", "transitions"), cells, caption)


def _needed(row: Row, figure: str, unit: str) -> str:
    own, theirs = row[figure], row[f"{figure}_opponent"]
    if own is None:
        return f"not reached; {theirs:.0f}{unit}"
    return f"{own:.0f}{unit}; {theirs:.0f}{unit}; {row[f'{figure}_ratio']:.2f}"


def protocol(scale: Scale) -> list[Block]:
    """Return the sentences about the sizes, and how time was counted."""
    sizes = "; ".join(
        f"{name}: {each.rollouts} trajectories, up to {each.epochs} epochs, {each.updates} updates"
        for name, each in scale.sizes.items()
    )
    longer = "".join(f", {times} times as many {name}" for name, times in scale.longer.items())
    return [
        f"Training seeds: {scale.train_seeds}; {scale.trajectories} trajectories a run{longer}. "
        f"Rounds of the orders: {sizes}.",
        f"Tests: {scale.tests} real episodes with the policy's mean action, every {scale.every} "
        "trajectories, the same for all arms; neither their data nor their time count.",
        "Time is simulated: a worker's step lasts as long as the processor computed it, a "
        "trajectory as long as on the robot. With all workers at once, each has a processor of "
        "its own; in the other orders, times add up.",
    ]
