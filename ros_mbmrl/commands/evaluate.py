"""`mbmrl evaluate`: a closed-loop experiment over methods, training seeds, conditions and seeds.

It uses existing models; a study (`commands/study.py`) trains its own, or judges existing ones
(`commands/study_models.py`). A study of policies (`commands/policy_study.py`) trains policies.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ros_mbmrl.commands import evaluate_twin
from ros_mbmrl.errors import RunError, UserError, choose
from ros_mbmrl.evaluation import experiments, plots, tables
from ros_mbmrl.evaluation.experiments import Experiment, cells, make_experiment, opponents
from ros_mbmrl.evaluation.html import Block, Image, Section, write_page
from ros_mbmrl.evaluation.policies.studies import POLICY_STUDIES
from ros_mbmrl.evaluation.statistics import by_train_seed, summarise, unique
from ros_mbmrl.evaluation.study.studies import STUDIES
from ros_mbmrl.planning import make_planner
from ros_mbmrl.robots import make_robot
from ros_mbmrl.share import find

if TYPE_CHECKING:
    from ros_mbmrl.arguments.evaluate import Evaluate
    from ros_mbmrl.evaluation.campaign import Entrant, Job

Row = Mapping[str, Any]
SEEDS = 3  # paired episodes of a condition
DURATION = 20.0  # of an episode [s]
VERSUS = ("mb", "mb_de")
STUDYING = "scale", "train_seeds", "first_train_seed"  # options of studies alone
ABLATION, ASYNCHRONOUS = "base-ablation", "asynchronous"


def run(arguments: Evaluate) -> dict[str, Any]:
    """Run the unfinished part of an experiment; write the tables, plots and `report.html`."""
    known = (*experiments.EXPERIMENTS, *STUDIES, *POLICY_STUDIES, ABLATION, ASYNCHRONOUS)
    name = arguments.experiment
    robot = "" if name in known else evaluate_twin.robot_of(name, arguments.models)
    if not robot:
        choose("experiment", name, known)
        return run_named(arguments)
    expect_none("only studies have one", arguments, *STUDYING, "environments")
    expect_none("the twin of a robot of a file is not filmed", arguments, "video")
    try:
        return evaluate_twin.run(with_versus(arguments), robot)
    except OSError as error:
        raise unwritten(error) from None


def run_named(arguments: Evaluate) -> dict[str, Any]:
    """Run an experiment or a study that has a name. See `run`."""
    of_file = "task", "path", "speed", "faults", "at"
    expect_none("only a robot of a file has one", arguments, *of_file)
    try:
        if arguments.experiment in POLICY_STUDIES:
            from ros_mbmrl.commands import policy_study

            own = "versus", "duration", "controller"
            expect_none("only existing models are filmed", arguments, "video")
            expect_none("a study has its own", arguments, *own)
            expect_none("policies are trained", arguments, "models")
            return policy_study.run(arguments)
        expect_none("only studies of policies have several", arguments, "environments")
        if arguments.experiment == ASYNCHRONOUS:
            from ros_mbmrl.commands import asynchronous_study

            own = "versus", "duration", "controller"
            expect_none("only existing models are filmed", arguments, "video")
            expect_none("a study has its own", arguments, *own)
            expect_none("policies are trained", arguments, "models")
            return asynchronous_study.run(arguments)
        if arguments.experiment == ABLATION:
            from ros_mbmrl.commands import ablation

            fixed = "methods", "versus", "duration", "controller", "models"
            expect_none("only existing models are filmed", arguments, "video")
            expect_none("it compares parts of MB's base", arguments, *fixed)
            return ablation.run(arguments)
        if arguments.experiment in STUDIES:
            from ros_mbmrl.commands import study, study_models

            expect_none("a study has its own", arguments, "versus", "duration", "controller")
            if not arguments.models:
                expect_none("only existing models are filmed", arguments, "video")
                return study.run(arguments)
            expect_none("--models are not trained", arguments, "train_seeds", "first_train_seed")
            return study_models.run(arguments)
        expect_none("only studies have one", arguments, *STUDYING)
        duration = DURATION if arguments.duration is None else arguments.duration
        return run_experiment(replace(with_versus(arguments), duration=duration))
    except OSError as error:
        raise unwritten(error) from None


def unwritten(error: OSError) -> RunError:
    """Return the error of a full disk, or of a folder without write permission."""
    return RunError(f"{error}; what is finished is kept, and the same command goes on")


def expect_none(why: str, arguments: Evaluate, *names: str) -> None:
    """Refuse options that would be ignored. Raises UserError."""
    for name in names:
        if getattr(arguments, name) not in (None, (), "", False):
            option = name.replace("_", "-")
            raise UserError(f"--{option}: {why}; expected none with {arguments.experiment}")


def with_versus(arguments: Evaluate) -> Evaluate:
    """Return the arguments with the usual opponents, unless others are named."""
    return replace(arguments, versus=arguments.versus or VERSUS)


def run_experiment(arguments: Evaluate) -> dict[str, Any]:
    """Run an experiment with existing models."""
    experiment = make_experiment(arguments.experiment)
    assert arguments.duration is not None
    seeds = SEEDS if arguments.seeds is None else arguments.seeds
    plan = cells(experiment, seeds, arguments.first_seed, arguments.duration)
    # They import torch, which takes seconds: only now that there is something to run.
    from ros_mbmrl.evaluation import campaign

    field = entrants(experiment, arguments.methods, arguments.models)
    versus = opponents([each.method for each in field], experiment.methods, arguments.versus)
    robot = make_robot(experiment.robot)
    controller = arguments.controller or robot.planner
    make_planner(controller, robot.spec)
    controller = "" if controller == robot.planner else controller  # the same rows if it is named
    # Entrants innermost, so that the rows of an interrupted run can be compared.
    jobs = [campaign.Job(entrant, cell, controller) for cell in plan for entrant in field]
    rows = campaign.run(jobs, arguments.out, arguments.workers, arguments.cluster)
    summary = summarise(rows, arguments.versus, np.random.default_rng(arguments.first_seed))
    trained = by_train_seed(rows, versus)
    console = tables.wide_console()
    for table in (
        tables.by_path(rows),
        tables.comparison(summary, versus),
        tables.training_seeds(trained),
    ):
        console.print(tables.printed(table))
    if stopped := sum(row["safety_stops"] > 0 for row in rows):
        console.print(f"safety stopped {stopped} of {len(rows)} episodes")
    page = report(experiment, arguments, field, rows, summary, trained)
    console.print(f"report: {page}", soft_wrap=True, highlight=False)
    films = [str(path) for path in filmed(jobs, arguments)] if arguments.video else []
    bare = [{name: value for name, value in row.items() if name != "trace"} for row in rows]
    found = {"rows": bare, "summary": summary, "by_train_seed": trained, "report": str(page)}
    return {**found, "films": films}


def filmed(jobs: Sequence[Job], arguments: Evaluate) -> Sequence[Path]:
    """Write a film of the first episode of each method; return the paths."""
    from ros_mbmrl.evaluation import films

    named = [(job.entrant.method, partial(films.of_job, job)) for job in jobs]
    return films.write_films(arguments.out, named)


def entrants(
    experiment: Experiment, methods: Sequence[str], folders: Sequence[Path]
) -> tuple[Entrant, ...]:
    """Return models in `folders`, or the shipped ones. See `enter_methods`; raises UserError."""
    from ros_mbmrl.evaluation.entrants import enter_methods

    shipped = f"models/{experiment.robot}"
    chosen = folders or (find(shipped) or Path(shipped),)
    return enter_methods(experiment.robot, experiment.methods, methods, chosen)


def report(
    experiment: Experiment,
    arguments: Evaluate,
    field: Sequence[Entrant],
    rows: Sequence[Row],
    summary: Sequence[Row],
    trained: Sequence[Row],
) -> Path:
    """Draw the plots and write `report.html` into the output folder; return the page's path."""
    versus = opponents([each.method for each in field], experiment.methods, arguments.versus)
    models = ", ".join(f"{e.method} {e.train_seed} ({e.digest[:12]})" for e in field)
    sections: list[Section] = [
        ("Cross-track error", _cross_track(arguments, rows, summary, versus, trained)),
        ("Paths", _paths(arguments, rows)),
        ("Prediction", _prediction(arguments, rows)),
        ("Details", [tables.details(summary), f"Training seeds (model hashes): {models}."]),
    ]
    page: Path = arguments.out / "report.html"
    write_page(page, experiment.title, sections)
    return page


def _cross_track(
    arguments: Evaluate,
    rows: Sequence[Row],
    summary: Sequence[Row],
    versus: Sequence[str],
    trained: Sequence[Row],
) -> list[Block]:
    bars, transients = arguments.out / "cross_track.png", arguments.out / "transients.png"
    plots.compared(summary, bars)
    plots.transients(rows, transients)
    seeds = " to ".join(str(end(row["seed"] for row in rows)) for end in (min, max))
    return [
        f"Seeds {seeds}, episodes of at most {arguments.duration:g} s. Every method met the same "
        "robots, sensors and grounds. Where a fault sets in on the way, only what comes after it "
        "counts. Ratios are paired by episode, and by training seed where both methods have it; "
        "beyond noise is what the whole interval is above 1.",
        tables.comparison(summary, versus),
        Image(bars, f"Mean cross-track error; {tables.interval_note(summary)}"),
        tables.training_seeds(trained),
        Image(
            transients,
            "Distance from the path over time: median and inter-quartile band over the episodes "
            "of all training seeds; dotted: a fault sets in",
        ),
        tables.by_path(rows),
    ]


def _paths(arguments: Evaluate, rows: Sequence[Row]) -> list[Block]:
    pictures: list[Block] = []
    for path in unique(rows, "path"):
        file = arguments.out / f"paths_{path}.png"
        plots.paths(rows, path, file)
        caption = f"{path}, seed {arguments.first_seed}, each method's first training seed"
        pictures.append(Image(file, f"{caption}; dotted: desired"))
    return pictures


def _prediction(arguments: Evaluate, rows: Sequence[Row]) -> list[Block]:
    file = arguments.out / "prediction_errors.png"
    plots.prediction_errors(rows, file)
    return [Image(file, "Error before and after adaptation, of all training seeds")]
