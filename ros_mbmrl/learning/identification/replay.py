"""Real runs driven again on the twin: the same commands at the same instants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.plants.twin import TwinPlant
from ros_mbmrl.robots.estimator import StateEstimator
from ros_mbmrl.robots.measurement import Measurement
from ros_mbmrl.robots.spec import Array, Robot
from ros_mbmrl.simulation.calibration import Calibration
from ros_mbmrl.simulation.randomisation import NOMINAL, Physics
from ros_mbmrl.simulation.world import HexapodWorld

LONGEST_STEP = 0.3  # [s]: a gap in the log is not waited for


@dataclass(frozen=True)
class Drive:
    """Commands sent to the robot in one run: times (T + 1,) [s], actions (T, 2) [rad/s]."""

    times: Array
    actions: Array
    battery: float

    @classmethod
    def of(cls, rollout: Rollout) -> Drive:
        """Return the commands of a recorded run, with the battery as it was [V]."""
        battery = float(np.median(rollout.states[:, 23]))
        return cls(rollout.times, rollout.actions.astype(float), battery)


def replay(
    robot: Robot, drives: Sequence[Drive], terrain: str, calibration: Calibration, seed: int
) -> list[Rollout]:
    """Return the twin's rollouts under recorded commands; each starts at rest, legs anywhere.

    Set-points beyond the robot's range pass, as they did. The result depends on nothing else.
    """
    world = HexapodWorld(calibration.terrains[terrain], seed=seed, calibration=calibration)
    rollouts = []
    for k, drive in enumerate(drives):
        physics = replace(NOMINAL, battery=drive.battery)
        rollouts.append(_run(robot, world, physics, drive, seed + k, terrain))
    return rollouts


def _run(
    robot: Robot, world: HexapodWorld, physics: Physics, drive: Drive, seed: int, terrain: str
) -> Rollout:
    world.physics = physics
    world.reset(seed)
    plant, estimator = TwinPlant(robot, world), StateEstimator(robot)
    measurement: Measurement = plant.observe()
    states, times = [estimator.update(measurement)], [measurement.time]
    for action, lasts in zip(drive.actions, np.diff(drive.times), strict=True):
        world.set_command(action)
        plant.advance(min(max(float(lasts), 0.02), LONGEST_STEP))
        measurement = plant.observe()
        states.append(estimator.update(measurement))
        times.append(measurement.time)
    return Rollout(
        robot=robot.spec.name,
        states=np.array(states, dtype=np.float32),
        actions=drive.actions.astype(np.float32),
        times=np.array(times),
        marks=np.zeros(len(drive.actions), dtype=np.uint8),
        tags={"terrain": terrain, "session": "twin"},
    )
