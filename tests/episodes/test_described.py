"""Episodes of a described robot: what counts, a fault in time, a stop, and what is true."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ros_mbmrl.dynamics.files import load_model
from ros_mbmrl.episodes.described import TwinEpisode, TwinScenario, run_twin
from ros_mbmrl.robots import make_robot, robot_name
from ros_mbmrl.safety.types import Level

Run = Callable[[TwinScenario], TwinEpisode]
BEND = TwinScenario("bend", at=1.0, duration=2.0, seed=3)


@pytest.fixture
def run(planar_arm: str, untrained: Callable[..., Path], tmp_path: Path) -> Run:
    """Runs the planar arm with an untrained model."""
    robot = make_robot(planar_arm)
    loaded = load_model(untrained(planar_arm, tmp_path) / "mb", robot)
    return lambda scenario: run_twin(robot, loaded, scenario)


def test_before_the_fault_nothing_differs_and_after_it_does(run: Run) -> None:
    well, broken = run(BEND), run(replace(BEND, fault="servo_weak"))
    assert len(well.times) == 40 and well.first == broken.first == 20
    np.testing.assert_array_equal(well.costs[:20], broken.costs[:20])
    assert not np.allclose(well.costs[20:], broken.costs[20:])
    np.testing.assert_array_equal(run(BEND).costs, well.costs)
    other = run(replace(BEND, seed=4))
    assert not np.allclose(other.costs, well.costs)  # another arm


def test_the_figures_are_means_of_their_parts(run: Run) -> None:
    episode = run(BEND)
    figures = episode.summary()
    assert figures["return"] == pytest.approx(-episode.costs.sum())
    assert figures["cost_before_fault"] == pytest.approx(episode.costs[:20].mean())
    assert figures["cost_after_fault"] == pytest.approx(episode.costs[20:].mean())
    # One goal, and no change of a command within one period: the cost is the squared error.
    errors = episode.measured["error", "1"]
    np.testing.assert_allclose(episode.costs, errors**2, rtol=1e-4)
    assert figures["error_after_fault_1"] == pytest.approx(errors[20:].mean())
    assert figures["safety_stops"] == 0 and "cross_track_mean_m" not in figures


def test_what_a_sensor_says_does_not_count(run: Run) -> None:
    """An encoder that is off by 0.2 rad is no error of the arm, until the arm answers it."""
    well, off = run(BEND), run(replace(BEND, fault="encoder_off"))
    np.testing.assert_allclose(off.costs[20], well.costs[20], rtol=0.2)
    jump = off.steps[21].state - well.steps[21].state
    assert np.abs(jump).max() > 0.1


def test_a_stop_is_paid_for_to_the_end(
    arm_file: Path, untrained: Callable[..., Path], tmp_path: Path
) -> None:
    text = arm_file.read_text() + "envelope:\n  state_limits: {elbow: [0.6, 2.0]}\n"
    arm_file.write_text(text)  # it begins at 0.5
    robot = make_robot(robot_name(str(arm_file)))
    loaded = load_model(untrained(robot.spec.name, tmp_path) / "mb", robot)
    episode = run_twin(robot, loaded, BEND)
    assert episode.steps[-1].checked.level is Level.LATCHED and len(episode.steps) < 5
    assert len(episode.times) == len(episode.costs) == 40
    np.testing.assert_allclose(episode.costs[5:], 25.0, rtol=0.2)  # (0.5 rad / 0.1 rad)^2
    assert episode.summary()["safety_stops"] == 1


def test_on_a_path_it_begins_at_its_start_and_lags(
    untrained: Callable[..., Path], rover_twin: Path, tmp_path: Path
) -> None:
    robot = make_robot(robot_name(str(rover_twin)))
    loaded = load_model(untrained(robot.spec.name, tmp_path) / "mb", robot)
    episode = run_twin(robot, loaded, replace(BEND, goal="straight"))
    assert episode.along is not None and episode.cross_track is not None
    assert episode.along[0] == pytest.approx(0.0, abs=1e-6)
    figures = episode.summary()
    assert figures["cross_track_mean_m"] == figures["cross_track_after_fault_m"]
    assert figures["cross_track_mean_m"] <= figures["cross_track_max_m"]
    moved = (episode.along[-1] - episode.along[10]) / 0.9
    assert figures["progress_m_s"] == pytest.approx(moved)
