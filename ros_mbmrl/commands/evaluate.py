"""`mbmrl evaluate`: a closed-loop experiment over methods, conditions and seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ros_mbmrl.bringup import find
from ros_mbmrl.dynamics.files import CARD, read_card
from ros_mbmrl.errors import UserError
from ros_mbmrl.evaluation import campaign, plots, tables
from ros_mbmrl.evaluation.campaign import Entrant, Job
from ros_mbmrl.evaluation.experiments import BASELINE, Experiment, cells, make_experiment
from ros_mbmrl.evaluation.html import Block, Image, Section, write_page
from ros_mbmrl.evaluation.statistics import summarise, unique

if TYPE_CHECKING:
    from ros_mbmrl.cli import Evaluate

Row = Mapping[str, Any]


def run(arguments: Evaluate) -> dict[str, Any]:
    """Runs what is not yet in the output folder; writes the tables, plots and `report.html`."""
    experiment = make_experiment(arguments.experiment)
    plan = cells(experiment, arguments.seeds, arguments.first_seed, arguments.duration)
    if arguments.workers < 1:
        raise UserError(f"workers: expected at least 1, got {arguments.workers}")
    field = entrants(experiment, arguments.methods, arguments.models)
    # Methods innermost: what an interrupted run leaves can be compared.
    jobs = [Job(entrant, cell) for cell in plan for entrant in field]
    rows = campaign.run(jobs, arguments.out, arguments.workers)
    summary = summarise(rows, BASELINE, np.random.default_rng(arguments.first_seed))
    console = tables.wide_console()
    console.print(tables.printed(tables.by_path(rows)))
    console.print(tables.printed(tables.comparison(summary, BASELINE)))
    if stopped := sum(row["safety_stops"] > 0 for row in rows):
        console.print(f"safety stopped {stopped} of {len(rows)} episodes")
    page = report(experiment, arguments, field, rows, summary)
    console.print(f"report: {page}", soft_wrap=True, highlight=False)
    bare = [{name: value for name, value in row.items() if name != "trace"} for row in rows]
    return {"rows": bare, "summary": summary, "report": str(page)}


def entrants(
    experiment: Experiment, methods: Sequence[str], models: Path | None
) -> tuple[Entrant, ...]:
    """The model folders that take part: those named, or those of the experiment's that exist.

    Raises UserError for a method without a folder, models of different robots, or no model.
    """
    folder = models or find(f"models/{experiment.robot}")
    if folder is None or not folder.is_dir():
        raise UserError(f"no folder '{folder or f'models/{experiment.robot}'}' of model folders")
    names = tuple(dict.fromkeys(methods)) or tuple(
        name for name in experiment.methods if (folder / name / CARD).is_file()
    )
    if not names:
        raise UserError(f"no model in '{folder}': expected {', '.join(experiment.methods)}")
    for name in names:
        if not (folder / name).is_dir():
            raise UserError(f"no model for method '{name}': expected a folder {folder / name}")
    robots = {name: str(read_card(folder / name).get("robot")) for name in names}
    if len(set(robots.values())) > 1:
        made = ", ".join(f"{name} for {robot}" for name, robot in robots.items())
        raise UserError(f"models of different robots: {made}")
    return tuple(campaign.enter(name, folder / name, experiment.robot) for name in names)


def report(
    experiment: Experiment,
    arguments: Evaluate,
    field: Sequence[Entrant],
    rows: Sequence[Row],
    summary: Sequence[Row],
) -> Path:
    """Draws the plots and writes `report.html` into the output folder; the page's path."""
    out: Path = arguments.out
    plots.cross_track(summary, out / "cross_track.png")
    plots.prediction_errors(rows, out / "prediction_errors.png")
    pictures: list[Block] = []
    for path in unique(rows, "path"):
        plots.paths(rows, path, out / f"paths_{path}.png")
        caption = f"{path}, seed {arguments.first_seed}; dotted: desired"
        pictures.append(Image(out / f"paths_{path}.png", caption))
    seeds = f"{arguments.first_seed} to {arguments.first_seed + arguments.seeds - 1}"
    trained = ", ".join(f"{e.method} {e.train_seed} ({e.digest[:12]})" for e in field)
    sections: list[Section] = [
        (
            "Cross-track error",
            [
                f"Seeds {seeds}, episodes of at most {arguments.duration:g} s. Every method met "
                "the same robots, sensors and grounds. Where a fault sets in on the way, only "
                "what comes after it counts.",
                tables.comparison(summary, BASELINE),
                Image(out / "cross_track.png", "Mean and 95 % bootstrap interval over episodes"),
                tables.by_path(rows),
            ],
        ),
        ("Paths", pictures),
        (
            "Prediction",
            [Image(out / "prediction_errors.png", "Error before and after adaptation")],
        ),
        ("Details", [tables.details(summary), f"Training seeds (model hashes): {trained}."]),
    ]
    page = out / "report.html"
    write_page(page, experiment.title, sections)
    return page
