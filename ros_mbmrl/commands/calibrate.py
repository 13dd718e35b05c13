"""`mbmrl calibrate`: fit the twin to the real robot's logs and compare both.

Some compared figures do not come from the twin: the instants of the steps (step_*) are the log's,
on the twin's grid of 10 ms, and each run starts at its log's median battery voltage (battery_*).
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.table import Table

from ros_mbmrl.data import dataset, files, selection
from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.errors import UserError, choose
from ros_mbmrl.evaluation import calibration_plots
from ros_mbmrl.evaluation.tables import wide_console
from ros_mbmrl.learning.identification.gait import FIGURES, gait_figures
from ros_mbmrl.robots import make_robot
from ros_mbmrl.simulation.calibration import (
    Telemetry,
    calibrated,
    load_calibration,
    save_calibration,
)
from ros_mbmrl.simulation.terrain import NAMES, PLAIN

if TYPE_CHECKING:
    from ros_mbmrl.arguments.calibrate import Calibrate

CLOSE = 0.15  # relative difference up to which a figure counts as met
Figures = Mapping[str, Mapping[str, float]]  # terrain -> name -> value


def run(arguments: Calibrate) -> dict[str, Any]:
    """Fit (unless told only to compare), write the file, print and draw the comparison."""
    choose("robot with a twin", arguments.robot, ["hexapod"])
    if min(arguments.runs, arguments.workers) < 1 or arguments.iterations < 0:
        raise UserError("runs, workers: expected at least 1; iterations: 0 or more")
    runs = by_terrain(dataset.load(arguments.data), arguments.untouched)
    goal = _goal(runs)
    # They import SciPy and MuJoCo: only now that there is something to fit to.
    from ros_mbmrl.learning.identification.fit import Problem, fit
    from ros_mbmrl.learning.identification.replay import Drive, replay

    start = load_calibration(arguments.start) if arguments.start else calibrated()
    rng = np.random.default_rng(arguments.seed)
    drives = {
        terrain: [Drive.of(several[k]) for k in _some(len(several), arguments.runs, rng)]
        for terrain, several in runs.items()
    }
    console, found = wide_console(), start
    if arguments.iterations:
        measured = replace(start, telemetry=telemetry(start.telemetry, goal))
        found = fit(
            Problem(measured, drives, goal),
            arguments.seed,
            arguments.iterations,
            arguments.workers,
            lambda k, cost: console.print(f"try {k}: cost {cost:.2f}"),
        )
        found = replace(found, provenance=_provenance(arguments, runs))
        save_calibration(arguments.out, found)
    robot = make_robot(arguments.robot)
    twin = {
        t: replay(robot, [Drive.of(r) for r in several], t, found, arguments.seed + 1000)
        for t, several in runs.items()
    }
    figures = {name: gait_figures(several) for name, several in twin.items()}
    console.print(table(goal, figures))
    if arguments.pictures:
        calibration_plots.ratios(goal, figures, CLOSE, arguments.pictures / "figures.png")
        calibration_plots.gaits(runs, twin, arguments.pictures / "gait.png")
    rows = _rows(goal, figures)
    met = sum(abs(row["ratio"] - 1) <= CLOSE for row in rows)
    console.print(f"within {CLOSE:.0%}: {met} of {len(rows)} figures")
    return {"rows": rows, "met": met, "file": str(arguments.out)}


def by_terrain(rollouts: Sequence[Rollout], untouched: float) -> dict[str, list[Rollout]]:
    """Return the runs of every real terrain, less the sessions that are kept for scoring.

    Raises UserError for runs of another robot or a terrain without runs.
    """
    for rollout in rollouts:
        if rollout.robot != "hexapod":
            raise UserError(f"logs of '{rollout.robot}': expected those of a hexapod")
    if untouched:
        rollouts, _ = selection.split(rollouts, by="session", held_out=untouched, seed=0)
    runs: dict[str, list[Rollout]] = {name: [] for name in NAMES if name != PLAIN.name}
    for rollout in rollouts:
        runs.get(rollout.tags.get("terrain", ""), []).append(rollout)
    for terrain, several in runs.items():
        if not several:
            raise UserError(f"no logs on {terrain}: expected some of each of {', '.join(runs)}")
    return runs


def _goal(runs: Mapping[str, Sequence[Rollout]]) -> Figures:
    goal = {terrain: gait_figures(several) for terrain, several in runs.items()}
    for terrain, figures in goal.items():
        for name, value in figures.items():
            if not abs(value) > 0:  # a ratio to it is not defined
                raise UserError(f"logs on {terrain}: expected a walk, but {name} is {value:g}")
    return goal


def telemetry(before: Telemetry, goal: Figures) -> Telemetry:
    """Compute the parameters that equal the robot's figures, without search: terrain means."""

    def mean(name: str) -> float:
        return float(np.mean([figures[name] for figures in goal.values()]))

    turn = 2 * np.pi
    return replace(
        before,
        back_emf_left=mean("back_emf_left") / turn,
        back_emf_right=mean("back_emf_right") / turn,
        back_emf_noise=mean("back_emf_noise"),
        battery=mean("battery_p50"),
    )


def table(goal: Figures, figures: Figures) -> Table:
    """Return a table of robot and twin, with differences of more than CLOSE in brackets."""
    result = Table("figure", "unit", *goal, title=f"robot > twin (further apart than {CLOSE:.0%})")
    for name, unit in FIGURES.items():
        cells = []
        for terrain in goal:
            real, made = goal[terrain][name], figures[terrain][name]
            text = f"{real:.3g} > {made:.3g}"
            cells.append(text if abs(made / real - 1) <= CLOSE else f"({text})")
        result.add_row(name, unit, *cells)
    return result


def _rows(goal: Figures, figures: Figures) -> list[dict[str, Any]]:
    return [
        {
            "terrain": terrain,
            "figure": name,
            "unit": unit,
            "robot": goal[terrain][name],
            "twin": figures[terrain][name],
            "ratio": figures[terrain][name] / goal[terrain][name],
        }
        for terrain in goal
        for name, unit in FIGURES.items()
    ]


def _some(count: int, wanted: int, rng: np.random.Generator) -> list[int]:
    return sorted(int(k) for k in rng.choice(count, min(wanted, count), replace=False))


def _provenance(arguments: Calibrate, runs: Mapping[str, Sequence[Rollout]]) -> dict[str, Any]:
    return {
        "command": shlex.join(["mbmrl", *sys.argv[1:]]),
        "data": [{"name": p.name, "sha256": files.sha256_of(p)} for p in arguments.data],
        "runs": {terrain: len(several) for terrain, several in runs.items()},
        "licence": "of the logs: none is stated; they are not part of this project",
    }
