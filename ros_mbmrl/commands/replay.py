"""`mbmrl replay`: what a model would have predicted and commanded in a recorded run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ros_mbmrl.bringup import NODES
from ros_mbmrl.data.from_recording import check_rates
from ros_mbmrl.data.step_reader import read_run
from ros_mbmrl.data.steps import Run
from ros_mbmrl.dynamics.card import read_card
from ros_mbmrl.errors import UserError
from ros_mbmrl.evaluation.html import Image, Table, write_page
from ros_mbmrl.evaluation.plots import COLOURS, panels, save
from ros_mbmrl.evaluation.tables import printed, wide_console
from ros_mbmrl.parameter_files import check_nodes, controller_settings, planner_settings
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.spec import Array, Robot

if TYPE_CHECKING:
    from ros_mbmrl.arguments.replay import Replay as Arguments
    from ros_mbmrl.evaluation.replay import Replay

SMOOTHED = 10  # steps over which the drawn errors are averaged


def run(arguments: Arguments) -> dict[str, Any]:
    """Return figures, and a row for each step: time, commands, errors."""
    recorded = read_run(arguments.recording, arguments.robot)
    check_rates([recorded])
    robot = make_robot(recorded.robot)
    read_card(arguments.model)
    # They import torch, which takes seconds: only now that there is something to replay.
    from ros_mbmrl.dynamics.files import load_model
    from ros_mbmrl.evaluation.player import ReplayConfig
    from ros_mbmrl.evaluation.replay import check_task, replay, summarise

    loaded = load_model(arguments.model, robot)
    try:
        config = ReplayConfig(
            method=arguments.method,
            controller=arguments.controller or robot.planner,
            task=check_task(robot, recorded, arguments.task),
            seed=arguments.seed,
            horizon=arguments.horizon,
            **settings(robot.spec.name, arguments.params),
        )
    except (TypeError, ValueError) as error:
        raise UserError(str(error)) from None
    result = replay(recorded, robot, loaded, config)
    summary = summarise(result)
    console = wide_console()
    for table in _tables(robot, summary):
        console.print(printed(table))
    for change in result.changes:
        console.print(str(change), soft_wrap=True, highlight=False)
    if not summary["commands"]:
        console.print("nothing was planned: there is no reference in it: name one by --task")
    if arguments.out is not None:
        page = report(robot, recorded, result, summary, arguments.out)
        console.print(f"report: {page}", soft_wrap=True, highlight=False)
    return {**summary, "rows": _rows(result)}


def settings(robot: str, params: Path | None) -> dict[str, Any]:
    """Return the controller's speed, cost weights and planner settings, as a launch reads them.

    Raises UserError.
    """
    if params is not None:
        check_nodes(params, [f"/{robot}/{node}" for node in NODES])
    given, planner = controller_settings(robot, params), planner_settings(robot, params)
    found: dict[str, Any] = {"planner": planner}
    if "speed" in given:
        found["speed"] = given["speed"]
    cost = {k.removeprefix("cost."): v for k, v in given.items() if k.startswith("cost.")}
    return found | ({"cost": cost} if cost else {})


def report(robot: Robot, recorded: Run, result: Replay, summary: dict[str, Any], out: Path) -> Path:
    """Draw the pictures and write `replay.html`; return its path. Raises UserError."""
    errors, metres = _tables(robot, summary)
    page = out / "replay.html"
    try:
        _draw_errors(result, out / "errors.png")
        _draw_commands(robot, result, out / "commands.png")
        about = f"{recorded.path.name}: {summary['steps']} steps of {robot.spec.name}"
        write_page(
            page,
            "A recorded run, through a model",
            [
                ("Predictions", [about, errors, Image(out / "errors.png", "Moving means")]),
                ("Commands", [metres, Image(out / "commands.png")]),
            ],
        )
    except OSError as error:
        raise UserError(f"{out}: cannot be written ({error.strerror})") from None
    return page


def _tables(robot: Robot, summary: dict[str, Any]) -> tuple[Table, Table]:
    rows = [
        (
            str(row["horizon"]),
            str(row["n"]),
            *(_text(row[name]) for name in ("prior", "adapted", "prior_m", "adapted_m")),
            "-" if row["improved_fraction"] is None else f"{row['improved_fraction']:.0%}",
        )
        for row in summary["horizons"]
    ]
    columns = ("steps ahead", "n", "prior", "adapted", "prior [m]", "adapted [m]", "improved")
    names = [f"{limit.name} [{limit.unit}]" for limit in robot.spec.action]
    middle = summary["difference_median"] or [None] * len(names)
    largest = summary["difference_max"] or [None] * len(names)
    cells = [
        (name, _text(half), _text(most))
        for name, half, most in zip(names, middle, largest, strict=True)
    ]
    same = f"{summary['equal']} of {summary['compared']} commands are those recorded, bit for bit"
    return (
        Table(columns, rows, "Median prediction error, normalised and of the position"),
        Table(("command", "difference, median", "largest"), cells, same),
    )


def _rows(result: Replay) -> list[dict[str, Any]]:
    return [
        {
            "time": float(result.times[k]),
            "proposed": result.proposed[k].tolist(),
            "recorded": result.recorded[k].tolist(),
            "error_prior": result.errors[k, 0].tolist(),
            "error_adapted": result.errors[k, 1].tolist(),
            "accepted": bool(result.accepted[k]),
        }
        for k in range(len(result.times))
    ]


def _draw_errors(result: Replay, file: Path) -> None:
    figure, grid = panels(2, 8.0, 2.8, columns=1)
    for column, (axes, h) in enumerate(zip(grid, (1, result.horizon), strict=True)):
        for row, (name, colour) in enumerate((("prior", COLOURS[0]), ("adapted", COLOURS[3]))):
            values = _smooth(result.errors[:, row, column])
            axes.plot(result.times, values, color=colour, label=name)
        axes.set_title(f"{h} step{'s' * (h > 1)} ahead")
        axes.set_ylabel("normalised error")
        axes.set_xlabel("time [s]")
    grid[0].legend(fontsize="small")
    save(figure, file)


def _draw_commands(robot: Robot, result: Replay, file: Path) -> None:
    limits = robot.spec.action
    figure, grid = panels(len(limits), 8.0, 2.4, columns=1)
    for k, (axes, limit) in enumerate(zip(grid, limits, strict=True)):
        axes.plot(result.times, result.recorded[:, k], color=COLOURS[0], label="recorded")
        axes.plot(result.times, result.proposed[:, k], "--", color=COLOURS[1], label="from here")
        axes.set_ylabel(f"{limit.name} [{limit.unit}]")
        axes.set_xlabel("time [s]")
    grid[0].legend(fontsize="small")
    save(figure, file)


def _smooth(values: Array) -> Array:
    """Return means of the known values over the last steps; nan if none is known."""
    known = np.isfinite(values)
    kernel = np.ones(SMOOTHED)
    total = np.convolve(np.where(known, values, 0.0), kernel)[: len(values)]
    count = np.convolve(known, kernel)[: len(values)]
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _text(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"
