"""The arm's twin as a plant: what it measures, refuses, and what is left of it after a stop."""

from __future__ import annotations

import numpy as np
import pytest

from ros_mbmrl.errors import RunError, UserError
from ros_mbmrl.plants import check_plant, make_plant
from ros_mbmrl.plants.base import PlantOptions
from ros_mbmrl.plants.pr2_twin import PR2TwinPlant, make_arm
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.pr2_kinematics import tool_points
from ros_mbmrl.simulation.pr2 import PR2World
from ros_mbmrl.simulation.pr2_faults import ArmPhysics

ROBOT = make_robot("pr2_arm")
PULL = np.array([5.0, -5.0, 1.0, -2.0, 0.5, -1.0, 0.5])


def run(plant: PR2TwinPlant, steps: int) -> np.ndarray:
    rows = []
    for _ in range(steps):
        plant.command(PULL)
        plant.advance(0.1)
        rows.append(plant.observe().values)
    return np.array(rows)


def test_the_registry_names_it() -> None:
    plant = make_plant(ROBOT, "twin", PlantOptions(fault="payload@2", seed=3))
    assert isinstance(plant, PR2TwinPlant)
    assert plant.simulated
    assert plant.world.seed == 3


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (PlantOptions(fault="leg_left_middle@3"), "unknown fault 'leg_left_middle'"),
        (PlantOptions(fault="payload"), "expected NAME@SECONDS"),
        (PlantOptions(viewer=True), "viewer"),
    ],
)
def test_what_it_would_refuse_is_said_beforehand(options: PlantOptions, words: str) -> None:
    with pytest.raises(UserError, match=words):
        check_plant("pr2_arm", "twin", options)


def test_it_measures_angles_velocities_and_points() -> None:
    plant = make_arm(ROBOT)
    run(plant, 3)
    values = plant.observe().values
    assert values.shape == (23,)
    assert values[:7] == pytest.approx(plant.world.position(), abs=1e-3)
    assert values[7:14] == pytest.approx(plant.world.velocity(), abs=0.03)
    assert values[14:] == pytest.approx(tool_points(values[:7]))
    assert plant.observe() is plant.observe()
    assert plant.observe().time == pytest.approx(0.3)
    assert plant.counters() == {}


def test_without_noise_it_measures_the_truth() -> None:
    plant = make_arm(ROBOT, ArmPhysics(sensor_noise=0.0))
    values = plant.observe().values
    assert (values[:7] == plant.world.position()).all()
    assert values[14:] == pytest.approx(plant.world.points())


def test_the_seed_decides_the_measurements() -> None:
    first, again = make_arm(ROBOT, seed=4), make_arm(ROBOT, seed=8)
    rows = run(first, 5)
    run(again, 2)
    again.reset(4)
    assert (run(again, 5) == rows).all()


@pytest.mark.parametrize(
    "action", [np.zeros(6), np.full(7, np.nan), np.full(7, 99.0), np.full(7, -np.inf)]
)
def test_wrong_torques_are_refused(action: np.ndarray) -> None:
    with pytest.raises(ValueError, match="action: expected"):
        make_arm(ROBOT).command(action)


def test_leaving_the_context_takes_the_torques_away() -> None:
    with make_arm(ROBOT) as plant:
        run(plant, 3)
        world = plant.world
    assert np.abs(world.effort()).max() > 0
    world.step(0.002)
    # Well within its limits and slow, nothing but the command makes a torque.
    assert (world.effort() == 0).all()


def test_another_robot_is_refused() -> None:
    with pytest.raises(UserError, match="robot 'hexapod' has another twin"):
        PR2TwinPlant(make_robot("hexapod"), PR2World())


def test_physics_that_break_down_end_the_run() -> None:
    plant = make_arm(ROBOT)
    run(plant, 2)
    plant.world.data.qvel[0] = np.nan
    with pytest.raises(RunError, match="the twin's physics broke down before 0.3 s"):
        run(plant, 1)
    plant.reset(1)
    run(plant, 1)
