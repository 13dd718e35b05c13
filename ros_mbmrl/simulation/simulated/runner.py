"""Simulations of gymnasium's runners: each reads its row of `robots/bodies.py`."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial

import numpy as np

from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.bodies import BODIES
from ros_mbmrl.robots.spec import Array
from ros_mbmrl.simulation.engine import mujoco
from ros_mbmrl.simulation.simulated.base import Simulation, gymnasium_model
from ros_mbmrl.simulation.situations import Terrain

SNAKE_LINKS = ("link_3", "link_4")  # behind the swimmer's last one
LINK_LENGTH = 1.0  # [m]


class RunnerSimulation(Simulation):
    """See `Simulation`.

    Args:
        name: of the robot, a row of `BODIES`.
    """

    body = "torso"

    def __init__(self, name: str) -> None:
        self.robot, self.row = make_robot(name), BODIES[name]
        self.substeps = self.row.substeps
        self.score = self.row.usual_score

    def specification(self, terrain: Terrain) -> mujoco.MjSpec:
        """The body on its floor."""
        specification = gymnasium_model(self.row.model)
        if self.row.name == "snake":
            lengthen(specification)
        return specification

    def start(
        self, model: mujoco.MjModel, terrain: Terrain, rng: np.random.Generator
    ) -> tuple[Array, Array]:
        """The model's own posture with gymnasium's noise."""
        row = self.row
        qpos = model.qpos0 + rng.uniform(-row.positions, row.positions, model.nq)
        if row.places.rotation is not None:
            quaternion = slice(row.places.rotation, row.places.rotation + 4)
            qpos[quaternion] /= np.linalg.norm(qpos[quaternion])
        noise = rng.standard_normal(model.nv) if row.normal else rng.uniform(-1, 1, model.nv)
        return qpos, row.velocities * noise

    def powered(self, present: Collection[str]) -> Array:
        """A disabled joint's motor gives nothing."""
        return np.array([float(f"{name}_disabled" not in present) for name in self.row.motors])


def lengthen(specification: mujoco.MjSpec) -> None:
    """Make a snake of a swimmer: two links more, each with a motor as the swimmer's."""
    last = specification.body("back")
    joint, motor = last.joints[0], specification.actuators[-1]
    shape = last.geoms[0]
    for k, name in enumerate(SNAKE_LINKS, start=3):
        link = last.add_body(name=name, pos=[-LINK_LENGTH, 0, 0])
        link.add_geom(
            type=shape.type,
            fromto=[0, 0, 0, -LINK_LENGTH, 0, 0],
            size=shape.size,
            density=shape.density,
            contype=shape.contype,
            conaffinity=shape.conaffinity,
            condim=shape.condim,
        )
        link.add_joint(
            name=f"motor{k}_rot",
            type=joint.type,
            axis=joint.axis,
            limited=joint.limited,
            range=joint.range,
            armature=joint.armature,
        )
        added = specification.add_actuator(
            name=f"motor{k}_rot",
            trntype=motor.trntype,
            target=f"motor{k}_rot",
            ctrllimited=motor.ctrllimited,
            ctrlrange=motor.ctrlrange,
            gear=motor.gear,
        )
        added.set_to_motor()
        last = link


SWIMMER, SNAKE, HOPPER, WALKER2D, HUMANOID = (
    partial(RunnerSimulation, name)
    for name in ("swimmer", "snake", "hopper", "walker2d", "humanoid")
)
