"""The episode of one robot under Algorithm 10."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from ros_mbmrl.control import ControlLoop, Step
from ros_mbmrl.safety.types import Level

T = TypeVar("T")


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
