"""`mbmrl evaluate my_robot.yaml`: a robot of a file on its twin, with the faults of the file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ros_mbmrl.errors import UserError
from ros_mbmrl.evaluation import plots, tables
from ros_mbmrl.evaluation.experiments import METHODS, opponents
from ros_mbmrl.evaluation.html import Block, Image, Section, write_page
from ros_mbmrl.evaluation.statistics import CROSS_TRACK, by_train_seed, summarise
from ros_mbmrl.planning import make_planner
from ros_mbmrl.robots import make_robot, robot_name
from ros_mbmrl.robots.described.known import FILE, described, is_file
from ros_mbmrl.robots.goals import goal_of

if TYPE_CHECKING:
    from ros_mbmrl.arguments.evaluate import Evaluate
    from ros_mbmrl.evaluation.campaign import Entrant, Row
    from ros_mbmrl.evaluation.twin_experiment import TwinExperiment

SEEDS = 5  # paired episodes of a condition: as few as have an interval
DURATION = 10.0  # of an episode [s]


def robot_of(experiment: str, folders: Sequence[Path]) -> str:
    """Return the name of the robot of a file that is to be evaluated; empty if it is none.

    Args:
        experiment: path of a robot's file, or its name, if the file is in a model's folder.
        folders: of model folders.

    Raises:
        UserError: the file is wrong, or a model's says otherwise.
    """
    if is_file(experiment):
        return robot_name(experiment)
    for file in (path for folder in folders for path in sorted(folder.glob(f"*/{FILE}"))):
        robot_name(str(file))
    return experiment if experiment in described() else ""


def run(arguments: Evaluate, robot: str) -> dict[str, Any]:
    """Run the unfinished part of the experiment; write the tables, plots and `report.html`.

    Raises:
        UserError: no models, an unknown name, or a number out of its range.
    """
    if not arguments.models:
        raise UserError("models: expected a folder of model folders named by method")
    # They import torch and MuJoCo, which takes seconds.
    from ros_mbmrl.evaluation import twin_experiment
    from ros_mbmrl.evaluation.entrants import enter_methods

    experiment = experiment_of(arguments, robot)
    field = enter_methods(robot, METHODS, arguments.methods, arguments.models)
    versus = opponents([each.method for each in field], METHODS, arguments.versus)
    own = make_robot(robot)
    controller = arguments.controller or own.planner
    make_planner(controller, own.spec)
    controller = "" if controller == own.planner else controller  # the same rows if it is named
    jobs = experiment.jobs(field, controller)
    rows = twin_experiment.run(jobs, arguments.out, arguments.workers, arguments.cluster)
    rng = np.random.default_rng(arguments.first_seed)
    figure, means = experiment.figure, experiment.means(rows)
    summary = summarise(rows, versus, rng, figure, means)
    trained = by_train_seed(rows, versus, figure)
    shown = [
        tables.comparison(summary, versus, figure, experiment.before),
        *([tables.training_seeds(trained, figure)] if len(arguments.models) > 1 else []),
    ]
    console = tables.wide_console()
    for table in shown:
        console.print(tables.printed(table))
    if stopped := sum(row["safety_stops"] > 0 for row in rows):
        console.print(f"safety stopped {stopped} of {len(rows)} episodes")
    page = report(experiment, arguments.out, field, rows, summary, shown)
    console.print(f"report: {page}", soft_wrap=True, highlight=False)
    bare = [{name: value for name, value in row.items() if name != "trace"} for row in rows]
    return {"rows": bare, "summary": summary, "by_train_seed": trained, "report": str(page)}


def experiment_of(arguments: Evaluate, robot: str) -> TwinExperiment:
    """Return the experiment that the command line describes. Raises UserError."""
    from ros_mbmrl.evaluation.twin_experiment import TwinExperiment, conditions_of
    from ros_mbmrl.robots.path_following import SPEED

    made = make_robot(robot)
    if arguments.speed is not None and not made.follows_paths:
        raise UserError(f"--speed: {robot} follows no path: expected none")
    duration = DURATION if arguments.duration is None else arguments.duration
    count = SEEDS if arguments.seeds is None else arguments.seeds
    return TwinExperiment(
        robot=robot,
        goal=goal_of(made, arguments.task, arguments.path),
        faults=tuple(dict.fromkeys(arguments.faults)) or conditions_of(robot),
        at=duration / 2 if arguments.at is None else arguments.at,
        duration=duration,
        speed=arguments.speed or SPEED,
        seeds=tuple(range(arguments.first_seed, arguments.first_seed + count)),
    )


def report(
    experiment: TwinExperiment,
    out: Path,
    field: Sequence[Entrant],
    rows: Sequence[Row],
    summary: Sequence[Row],
    shown: Sequence[Block],
) -> Path:
    """Draw the plots and write `report.html` into the output folder; return the page's path."""
    bars, course, errors = (out / f"{name}.png" for name in ("compared", "course", "errors"))
    plots.compared(summary, bars, experiment.figure)
    plots.transients(rows, course, experiment.figure)
    plots.prediction_errors(rows, errors)
    models = ", ".join(f"{e.method} {e.train_seed} ({e.digest[:12]})" for e in field)
    on_path = "distance from the path" if experiment.figure is CROSS_TRACK else "what a step costs"
    figure: list[Block] = [
        f"{experiment.goal}, seeds {experiment.seeds[0]} to {experiment.seeds[-1]}, episodes of at "
        f"most {experiment.duration:g} s, of which {experiment.at:g} s before the fault. Every "
        "method met the same robots, drawn from the ranges in the file. Ratios are of what comes "
        "after the fault, paired by episode, and by training seed where both methods have it. "
        "Where safety stopped the robot, it rested until the end, and that counts.",
        *shown,
        Image(bars, f"Mean after the fault; {tables.interval_note(summary)}"),
        Image(
            course,
            f"{on_path}: median and inter-quartile band over the episodes of all "
            "training seeds; dotted: the fault sets in",
        ),
    ]
    sections: list[Section] = [
        (experiment.figure.label.capitalize(), figure),
        ("Prediction", [Image(errors, "Error before and after adaptation, whole episodes")]),
        ("Details", [tables.details(summary), f"Training seeds (model hashes): {models}."]),
    ]
    page = out / "report.html"
    write_page(page, f"{experiment.robot} on its twin", sections)
    return page
