"""The task's own figures of a recorded run, for a robot that follows no path."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from ros_mbmrl.data.from_recording import rollouts_of
from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.data.step_reader import read_run
from ros_mbmrl.data.steps import Run
from ros_mbmrl.errors import UserError
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.spec import Array, Robot
from ros_mbmrl.robots.task import Measured, Task, rewards_each

Figures = dict[str, float | None]
RETURN, COST = "return", "cost"


def task_figures(path: Path, robot: str, task: str, fault_at: float | None) -> Figures:
    """Return the figures of a recording by their key in `report.json`.

    `return` is the sum of the negative costs of the steps from the first command on, each of one
    period; `cost` and other measures of the task are means before and after the fault, at
    `fault_at` [s] after the first command that moves the robot. All None without a task, and if
    nothing can be judged.
    """
    figures: Figures = dict.fromkeys((RETURN, *_keys(COST, "")))
    if not task:
        return figures
    try:
        run = read_run(path, robot)
        times, named = _judged(make_robot(robot), task, run)
    except UserError:
        return figures
    if not len(times):
        return figures
    before = times < (math.inf if fault_at is None else fault_at)
    figures[RETURN] = -float(named[COST, ""].sum())
    for (name, unit), values in named.items():
        for key, where in zip(_keys(name, unit), (before, ~before), strict=True):
            figures[key] = float(values[where].mean()) if where.any() else None
    return figures


def _keys(name: str, unit: str) -> tuple[str, str]:
    end = f"_{unit}" if unit else ""
    return f"{name}_before_fault{end}", f"{name}_after_fault{end}"


def _judged(robot: Robot, name: str, run: Run) -> tuple[Array, dict[tuple[str, str], Array]]:
    """Return the times (n,) [s] of the steps from the first command on, and their figures (n,)."""
    rollouts = rollouts_of(run)
    task = robot.make_task(name, rollouts[0].states[0].astype(float))
    first = min((step.time for step in run.steps if step.command is not None), default=math.inf)
    times: list[Array] = []
    found: dict[tuple[str, str], list[Array]] = {}
    for rollout in rollouts:
        named = {(COST, ""): _costs(task, rollout)}
        kept = (rollout.times[:-1] >= first) & np.isfinite(named[COST, ""])
        if isinstance(task, Measured):
            named |= task.measured(rollout.states.astype(float))
        times.append(rollout.times[:-1][kept] - run.begin)
        for key, values in named.items():
            found.setdefault(key, []).append(values[kept])
    return np.concatenate(times), {key: np.concatenate(each) for key, each in found.items()}


def _costs(task: Task, rollout: Rollout) -> Array:
    """Return the cost of each step (T,), planned for one step at a time."""
    states, steps = rollout.states.astype(float), len(rollout)
    return -rewards_each([task] * steps, states[:-1], rollout.actions.astype(float), states[1:])
