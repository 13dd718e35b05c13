from dataclasses import replace

import numpy as np
import pytest

from ros_mbmrl.learning.identification.replay import LONGEST_STEP, Drive, replay
from ros_mbmrl.robots import make_robot
from ros_mbmrl.simulation.calibration import calibrated
from ros_mbmrl.simulation.motor import TURN

ROBOT = make_robot("hexapod")


def drives(count: int = 2, steps: int = 20) -> list[Drive]:
    rng = np.random.default_rng(0)
    times = 0.1 * np.arange(steps + 1)
    return [Drive(times, TURN * rng.uniform(2, 8, (steps, 2)), 3.9) for _ in range(count)]


def test_it_is_decided_by_its_arguments() -> None:
    first, again = (replay(ROBOT, drives(), "carpet", calibrated(), 5)[1] for _ in range(2))
    assert (first.states == again.states).all()
    assert np.isfinite(first.states).all()
    other = replay(ROBOT, drives(), "carpet", calibrated(), 6)[1]
    assert not np.allclose(first.states[:, :2], other.states[:, :2])


def test_the_recorded_instants_are_kept_and_gaps_are_cut() -> None:
    times = np.array([0.0, 0.1, 0.19, 2.0, 2.1])
    drive = Drive(times, np.full((4, 2), 20.0), 3.9)
    rollout = replay(ROBOT, [drive], "turf", calibrated(), 1)[0]
    assert np.diff(rollout.times) == pytest.approx([0.1, 0.09, LONGEST_STEP, 0.1], abs=0.011)
    assert (rollout.actions == 20.0).all()
    assert rollout.tags["terrain"] == "turf"


def test_a_recorded_run_is_driven_with_its_own_battery() -> None:
    recorded = replay(ROBOT, [replace(drives(1)[0], battery=3.7)], "carpet", calibrated(), 1)[0]
    drive = Drive.of(recorded)
    assert drive.battery == pytest.approx(3.7, abs=0.02)
    assert drive.actions == pytest.approx(recorded.actions)
    again = replay(ROBOT, [drive], "carpet", calibrated(), 1)[0]
    assert again.states[:, 23].mean() == pytest.approx(3.7, abs=0.02)


def test_set_points_beyond_the_range_pass() -> None:
    limit = ROBOT.spec.action[0].high
    drive = Drive(0.1 * np.arange(6), np.full((5, 2), 2 * limit), 3.9)
    rollout = replay(ROBOT, [drive], "carpet", calibrated(), 1)[0]
    assert (rollout.actions == 2 * limit).all()
