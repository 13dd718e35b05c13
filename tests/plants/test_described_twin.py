"""plant:=twin of a robot of a file: commands, latency, faults in time, what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.plants import check_plant, make_plant
from ros_mbmrl.plants.base import PlantOptions, Scheduled
from ros_mbmrl.plants.simulated import SimulatedPlant
from ros_mbmrl.robots import make_robot, robot_name

TORQUE, SHOULDER, ELBOW = range(3)


def make(name: str, fault: str = "", noise: float = 0.0, seed: int = 0) -> SimulatedPlant:
    options = PlantOptions(terrain="flat", fault=fault, noise=noise, seed=seed)
    plant = make_plant(make_robot(name), "twin", options)
    assert isinstance(plant, SimulatedPlant)
    return plant


def driven(plant: SimulatedPlant, command: tuple[float, float], seconds: float) -> np.ndarray:
    """Measurements (T, dm), one a period."""
    found = []
    for _ in range(round(seconds / 0.05)):
        plant.command(np.array(command))
        plant.advance(0.05)
        found.append(plant.observe().values)
    return np.array(found)


def test_commands_act_after_the_files_latency(planar_arm: str) -> None:
    plant = make(planar_arm)
    plant.command(np.array([1.0, 0.0]))
    plant.advance(0.01)
    assert plant.observe().values[TORQUE] == 0.0
    plant.advance(0.005)
    assert plant.observe().values[TORQUE] == pytest.approx(1.0)


def test_a_latency_may_be_a_fault(planar_arm: str) -> None:
    plant = make(planar_arm, "late@0.2")
    torque = driven(plant, (0.0, 0.0), 0.3)
    torque = driven(plant, (1.0, 0.0), 0.3)[:, TORQUE]
    np.testing.assert_allclose(torque, [0, 0, 1, 1, 1, 1], atol=1e-9)  # 0.11 s: 2.2 periods


def test_faults_count_from_when_they_are_told_to(planar_arm: str) -> None:
    plant = make(planar_arm, "shoulder_disabled@0.2")
    assert isinstance(plant, Scheduled)
    plant.faults_from(0.3)
    torque = driven(plant, (1.0, 0.0), 0.8)[:, TORQUE]
    assert torque[:10] == pytest.approx(1.0)
    assert torque[10:] == pytest.approx(0.0)
    np.testing.assert_array_equal(plant.effectiveness(), [0.0, 1.0])
    assert plant.causes().shape == (0,)


def test_stopping_holds_the_servos_and_frees_the_motors(planar_arm: str) -> None:
    with make(planar_arm) as plant:
        driven(plant, (1.0, 1.0), 0.5)
    plant.advance(2.0)
    elbow = plant.observe().values[ELBOW]
    plant.advance(1.0)
    after = plant.observe().values
    assert after[TORQUE] == 0.0
    assert after[ELBOW] == pytest.approx(elbow, abs=1e-2)


def test_the_seed_decides_the_noise_and_a_reset_begins_anew(planar_arm: str) -> None:
    first = driven(make(planar_arm, noise=1.0, seed=1), (0.5, 0.5), 0.3)
    plant = make(planar_arm, noise=1.0, seed=2)
    assert (driven(plant, (0.5, 0.5), 0.3)[:, ELBOW] != first[:, ELBOW]).all()
    plant.reset(1)
    np.testing.assert_array_equal(driven(plant, (0.5, 0.5), 0.3), first)


def test_its_physics_can_be_shown(planar_arm: str) -> None:
    plant = make(planar_arm)
    world, data = plant.world, plant.world.data
    driven(plant, (0.0, 1.0), 0.5)
    assert plant.world is world and world.data is data
    assert data.qpos[1] == pytest.approx(plant.observe().values[ELBOW])
    assert data.time == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (PlantOptions(terrain="carpet"), "unknown terrain 'carpet': expected one of flat"),
        (PlantOptions(terrain="flat", fault="wheel@2"), "unknown fault 'wheel'"),
        (PlantOptions(terrain="flat", fault="load"), "expected NAME@SECONDS"),
    ],
)
def test_what_it_would_refuse_is_said_beforehand(
    planar_arm: str, options: PlantOptions, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        check_plant(planar_arm, "twin", options)


def test_a_wrong_name_in_the_model_is_said_beforehand(arm_file: Path) -> None:
    arm_file.write_text(arm_file.read_text().replace("body: lower", "body: hand"))
    with pytest.raises(UserError, match=r"planar_arm.yaml:\d+: twin.faults.load.mass"):
        check_plant(robot_name(str(arm_file)), "twin", PlantOptions(terrain="flat"))


def test_the_truth_has_neither_noise_nor_a_faulty_sensor(planar_arm: str) -> None:
    exact, noisy = make(planar_arm), make(planar_arm, "encoder_off@0.1", noise=1.0)
    for _ in range(5):
        np.testing.assert_array_equal(noisy.truth().values, exact.observe().values)
        exact.advance(0.05)
        noisy.advance(0.05)
    assert np.abs(noisy.observe().values - noisy.truth().values).max() > 0.15
    assert noisy.truth().time == exact.time
