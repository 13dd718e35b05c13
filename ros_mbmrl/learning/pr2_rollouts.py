"""Excitation of the arm's twin: smooth random torques, large ones and small ones."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from ros_mbmrl.agents.chance import Policy
from ros_mbmrl.errors import choose
from ros_mbmrl.learning.twin_rollouts import Source
from ros_mbmrl.plants.pr2_twin import PR2TwinPlant, make_arm
from ros_mbmrl.robots.spec import Array, Robot, RobotSpec
from ros_mbmrl.simulation.pr2_faults import BROKEN, MILD, NO_FAULT, ArmFault, ArmPhysics

PLACE = "bench"  # the only one that there is
LONGEST = 20  # control steps that an amplitude and a mean last
SMOOTH = 0.6  # correlation of the noise from step to step, AR(1)


def random_torques(spec: RobotSpec, rng: np.random.Generator) -> Policy:
    """Draw torques (da,) around a mean that is held for 1 to 20 steps, with smooth noise.

    Both are scaled by an amplitude drawn with them, more often small than large: near a goal an
    arm moves slowly, and there friction matters most. Within range and rate.
    """
    low, high, step = spec.action_low, spec.action_high, spec.action_step

    def torques() -> Iterator[Array]:
        noise, last = np.zeros(len(low)), np.zeros(len(low))
        while True:
            amplitude = high * rng.uniform(0, 1) ** 1.5 * rng.uniform(0.3, 1, len(low))
            mean = amplitude * rng.uniform(-1, 1, len(low))
            for _ in range(int(rng.integers(1, LONGEST + 1))):
                fresh = math.sqrt(1 - SMOOTH**2) * rng.standard_normal(len(low))
                noise = SMOOTH * noise + fresh
                wanted = np.clip(mean + 0.5 * amplitude * noise, last - step, last + step)
                last = np.clip(wanted, low, high)
                yield last

    stream = torques()
    return lambda: next(stream)


def _arm(robot: Robot, place: str, fault: ArmFault, physics: ArmPhysics, seed: int) -> PR2TwinPlant:
    return make_arm(robot, physics, (fault,), seed)


def _check(place: str) -> None:
    choose("terrain", place, (PLACE,))


PR2_ARM = Source(_arm, random_torques, _check, (PLACE,), MILD, (NO_FAULT,), BROKEN)
