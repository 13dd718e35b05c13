"""When the episode of one robot ends."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from ros_mbmrl.episodes.single import planned_with, run_loop
from ros_mbmrl.parameter_files import planner_settings
from ros_mbmrl.planning import make_planner
from ros_mbmrl.robots import make_robot
from ros_mbmrl.safety.types import Level


class Loop:
    """Latches in its third step."""

    def __init__(self, latches: bool = False) -> None:
        self.count, self.latches = 0, latches

    def step(self, period: float) -> Any:
        self.count += 1
        latched = self.latches and self.count == 3
        return SimpleNamespace(checked=SimpleNamespace(level=Level.LATCHED if latched else 0))


@pytest.mark.parametrize(("latches", "done", "expected"), [(0, 99, 5), (1, 99, 3), (0, 2, 2)])
def test_time_a_latched_stop_and_a_finished_task_end_it(
    latches: int, done: int, expected: int
) -> None:
    loop: Any = Loop(bool(latches))
    seen, steps = run_loop(loop, 0.1, 0.5, lambda: loop.count, lambda: loop.count >= done)
    assert seen == list(range(expected)) and len(steps) == expected  # the truth before each step


@pytest.mark.parametrize("name", ["hexapod", "pr2_arm", "half_cheetah"])
def test_a_robot_plans_as_its_parameter_file_says(name: str) -> None:
    robot = make_robot(name)
    planner, settings = planned_with(robot)
    assert (planner, settings) == (robot.planner, planner_settings(name))
    assert make_planner(planner, robot.spec, **settings)
    assert planned_with(robot, "cem", {"horizon": 4}) == ("cem", {"horizon": 4})


def test_the_hexapods_planner_is_the_one_that_was_measured() -> None:
    robot = make_robot("hexapod")
    planner, settings = planned_with(robot)
    made: Any = make_planner(planner, robot.spec, **settings)
    size = made.config.num_samples, made.config.horizon, made.config.iterations
    assert (planner, size) == ("icem", (64, 3, 3))
