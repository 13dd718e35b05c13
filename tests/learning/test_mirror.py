"""The mirrored robot: twice is none, and it is what the other robot does."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.learning.mirror import mirrored
from ros_mbmrl.learning.twin_rollouts import run_once
from ros_mbmrl.plants.twin import TwinConfig, TwinPlant
from ros_mbmrl.robots import make_robot
from ros_mbmrl.simulation.calibration import make_terrain
from ros_mbmrl.simulation.faults import Fault
from ros_mbmrl.simulation.randomisation import Physics
from ros_mbmrl.simulation.sensors import SensorNoise, Sensors
from ros_mbmrl.simulation.world import HexapodWorld

ROBOT = make_robot("hexapod")
SILENT = SensorNoise(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


def driven(leg: str, command: tuple[float, float], angles: tuple[float, float]) -> Rollout:
    """Two seconds without noise of a robot that lost a leg, whose legs begin at these angles."""
    terrain, physics = make_terrain("plain"), Physics(process_noise=0.0, sensor_noise=0.0)
    world = HexapodWorld(terrain, physics, (Fault(leg),))
    for side, angle in zip(("left", "right"), angles, strict=True):
        world.data.qpos[world.body.indices.leg_qpos[side]] = angle
    plant = TwinPlant(ROBOT, TwinConfig("plain"))
    plant.world = world
    plant._sensors = Sensors(world, np.random.default_rng(0), SILENT)
    return run_once(ROBOT, plant, lambda: np.array(command), 20, {"session": "a"})


def turned(rollout: Rollout) -> float:
    return float(np.unwrap(np.arctan2(rollout.states[:, 11], rollout.states[:, 10]))[-1])


def test_the_mirror_of_a_lost_right_leg_is_a_lost_left_leg() -> None:
    right = driven("leg_right_middle", (30.0, 20.0), (0.3, 1.0))
    left = driven("leg_left_middle", (20.0, 30.0), (1.0 + math.pi, 0.3 + math.pi))
    seen = mirrored(right)
    assert left.causes is not None and seen.causes is not None
    names = [cause.name for cause in ROBOT.spec.causes]
    assert seen.causes[0, names.index("leg_left_middle")] == 0.0
    np.testing.assert_allclose(seen.causes, left.causes, atol=1e-6)
    assert turned(seen) == pytest.approx(turned(left), abs=0.15)
    assert abs(turned(left)) > 0.5
    np.testing.assert_allclose(seen.states[-1, :2], left.states[-1, :2], atol=0.05)
    assert seen.tags == {"session": "a", "mirrored": "yes"}


def test_twice_mirrored_is_as_it_was() -> None:
    rollout = driven("leg_right_back", (25.0, 10.0), (0.0, 2.0))
    again = mirrored(mirrored(rollout))
    for name in ("states", "actions", "effectiveness", "causes"):
        np.testing.assert_array_equal(getattr(again, name), getattr(rollout, name))
