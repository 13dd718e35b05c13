"""The episode of one robot under Algorithm 10."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from ros_mbmrl.control import ControlLoop, Step
from ros_mbmrl.parameter_files import planner_settings
from ros_mbmrl.robots.spec import Robot
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
