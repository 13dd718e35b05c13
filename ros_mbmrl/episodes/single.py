"""The episode of one robot under Algorithm 10."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from ros_mbmrl.control import ControlLoop, Step
from ros_mbmrl.parameter_files import planner_settings
from ros_mbmrl.robots.paths import Path
from ros_mbmrl.robots.spec import Array, Robot
from ros_mbmrl.safety.types import Level

T = TypeVar("T")


def planned_with(
    robot: Robot, controller: str = "", settings: Mapping[str, Any] | None = None
) -> tuple[str, Mapping[str, Any]]:
    """Return the name of the planner and its settings: as a launch plans, unless told otherwise.

    Args:
        robot: to plan for.
        controller: name of the planner; empty: the robot's own.
        settings: its parameters by name; None: those of the robot's parameter file.
    """
    own = planner_settings(robot.spec.name) if settings is None else settings
    return controller or robot.planner, own


def run_loop(
    loop: ControlLoop,
    period: float,
    duration: float,
    look: Callable[[], T],
    finished: Callable[[], bool] = lambda: False,
) -> tuple[list[T], tuple[Step, ...]]:
    """Step until the time is up, the task is finished, or safety has stopped the robot for good.

    Args:
        loop: of the robot.
        period: of its control [s].
        duration: of the episode at most [s].
        look: returns the truth that is kept of a step, asked before it.
        finished: whether the task is.

    Returns:
        The truth and the loop's own record of every step, as many of each.
    """
    seen: list[T] = []
    steps: list[Step] = []
    for _ in range(round(duration / period)):
        seen.append(look())
        steps.append(loop.step(period))
        if finished() or steps[-1].checked.level == Level.LATCHED:
            break
    return seen, tuple(steps)


def loop_figures(steps: Sequence[Step], first: int = 0) -> dict[str, float]:
    """Return the loop's figures of an episode for a row of a table.

    Prediction errors and the share of accepted adaptations are means from step `first` on; stops
    and durations are those of all steps.
    """
    reports = [step.adapted.report for step in steps[first:]]
    return {
        "prediction_error_prior": float(np.mean([r.error_before for r in reports])),
        "prediction_error_adapted": float(np.mean([r.error_after for r in reports])),
        "accepted_fraction": float(np.mean([r.accepted for r in reports])),
        "safety_stops": sum(step.checked.level == Level.LATCHED for step in steps),
        "plan_ms_p50": 1e3 * float(np.median([step.plan_seconds for step in steps])),
        "adapt_ms_p50": 1e3 * float(np.median([step.adapt_seconds for step in steps])),
    }


def along_path(path: Path, places: Iterable[Sequence[float]]) -> tuple[Array, Array]:
    """Return arc lengths (T,) and signed distances from a path (T,) [m] of successive places.

    Args:
        path: that is followed.
        places: x and y [m] first, whatever follows.
    """
    progress, rows = 0.0, []
    for place in places:
        progress, error = path.project(place[:2], progress)
        rows.append((progress, error))
    along, errors = np.array(rows).T
    return along, errors
