"""The facts that an agent is told: one of each for every robot."""

from __future__ import annotations

import re

import numpy as np
import pytest

from ros_mbmrl.agents.base import Context
from ros_mbmrl.robots.spec import Robot
from ros_mbmrl.robots.task import Task


def test_there_are_as_many_robots_as_seeds(robot: Robot, task: Task) -> None:
    assert len(Context(robot, range(3), [task] * 3, np.zeros((3, 0)))) == 3
    assert len(Context(robot, (), (), np.zeros((0, 2)))) == 0


@pytest.mark.parametrize("counts", [(3, 2, 3), (3, 3, 1), (1, 3, 3)])
def test_one_of_each_for_every_robot(robot: Robot, task: Task, counts: tuple[int, ...]) -> None:
    seeds, tasks, goals = counts
    message = f"expected as many of each, got {seeds}, {tasks} and {goals}"
    with pytest.raises(ValueError, match=re.escape(f"seeds, tasks, goals: {message}")):
        Context(robot, range(seeds), [task] * tasks, np.zeros((goals, 2)))
