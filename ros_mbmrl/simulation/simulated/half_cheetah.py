"""gymnasium's half-cheetah: joints without torque, and grounds to run on."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from ros_mbmrl.robots.bodies import BODIES
from ros_mbmrl.robots.half_cheetah import JOINTS, HalfCheetah
from ros_mbmrl.robots.spec import Array
from ros_mbmrl.simulation.engine import mujoco
from ros_mbmrl.simulation.environment import Flags
from ros_mbmrl.simulation.simulated.base import Simulation, Spans, gymnasium_model
from ros_mbmrl.simulation.simulated.ground import height_at, lay_ground, slope_at
from ros_mbmrl.simulation.situations import Situation, Terrain

MASS = 14.0  # [kg]; gymnasium's settotalmass
NOISE = 0.1  # of the start: half-width of positions, deviation of velocities; gymnasium's


class HalfCheetahSimulation(Simulation):
    """See `Simulation`."""

    robot = HalfCheetah()
    body = "torso"
    score = BODIES["half_cheetah"].usual_score

    def specification(self, terrain: Terrain) -> mujoco.MjSpec:
        """The body, with its mass set, on its ground."""
        specification = gymnasium_model("half_cheetah")
        mass = specification.compile().body_mass.sum()
        for geom in specification.geoms:
            geom.density *= MASS / mass
        lay_ground(specification, terrain)
        return specification

    def start(
        self, model: mujoco.MjModel, terrain: Terrain, rng: np.random.Generator
    ) -> tuple[Array, Array]:
        """Above the ground and along it."""
        qpos, qvel = rng.uniform(-NOISE, NOISE, 9), NOISE * rng.standard_normal(9)
        qpos[1] += qpos[0] * np.tan(terrain.angle)
        qpos[2] -= terrain.angle
        return qpos, qvel

    def measure(
        self, models: Sequence[mujoco.MjModel], states: Array, spans: Spans, controls: Array
    ) -> Array:
        """Return positions and velocities, z above the ground below the torso."""
        measured = super().measure(models, states, spans, controls)
        for own, model, full in zip(measured, models, states, strict=True):
            own[..., 1] -= height_at(model, full, own[..., 0])
        return measured

    def place(
        self, models: Sequence[mujoco.MjModel], full: Array, states: Array, spans: Spans
    ) -> None:
        """Put states into full ones; `measure` inverted."""
        super().place(models, full, states, spans)
        for own, model, state in zip(full, models, states, strict=True):
            own[spans[0]][1] += height_at(model, own, state[0])

    def causes(self, situation: Situation, states: Array, pushed: Flags) -> Array:
        """The slope below the torso."""
        return slope_at(situation.terrain, states[:, :1])

    def powered(self, present: Collection[str]) -> Array:
        """A disabled joint's motor gives nothing."""
        return np.array([float(f"{joint}_disabled" not in present) for joint in JOINTS])
