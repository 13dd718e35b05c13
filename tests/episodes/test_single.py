"""When the episode of one robot ends."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from ros_mbmrl.episodes.single import along_path, loop_figures, planned_with, run_loop
from ros_mbmrl.parameter_files import planner_settings
from ros_mbmrl.planning import make_planner
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.paths import make_path
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


def test_places_are_judged_by_where_they_are_on_the_path() -> None:
    path = make_path("straight")  # from (-2.5, 0) along x
    along, errors = along_path(path, [(-2.5, 0.1, 9.0), (-2.4, -0.2, 9.0), (-2.2, 0.0, 9.0)])
    np.testing.assert_allclose(along, [0.0, 0.1, 0.3], atol=1e-9)
    np.testing.assert_allclose(errors, [0.1, -0.2, 0.0], atol=1e-9)


def test_the_loops_figures_are_of_the_steps_that_count() -> None:
    def step(error: float, level: Level, seconds: float) -> Any:
        report = SimpleNamespace(error_before=2 * error, error_after=error, accepted=error < 2)
        own = {"adapted": SimpleNamespace(report=report), "checked": SimpleNamespace(level=level)}
        return SimpleNamespace(**own, plan_seconds=seconds, adapt_seconds=seconds / 2)

    levels = (Level.RUN, Level.RUN, Level.LATCHED)
    steps = [step(*each) for each in zip((1.0, 2.0, 3.0), levels, (0.1, 0.2, 0.6), strict=True)]
    found = loop_figures(steps, first=1)
    assert (found["prediction_error_prior"], found["prediction_error_adapted"]) == (5.0, 2.5)
    assert (found["accepted_fraction"], found["safety_stops"]) == (0.0, 1)
    assert found["plan_ms_p50"] == pytest.approx(200) and found["adapt_ms_p50"] == pytest.approx(
        100
    )
    assert loop_figures(steps)["prediction_error_adapted"] == 2.0
