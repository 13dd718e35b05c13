"""The MuJoCo model of the hexapod, and its numbers edited in place for a rollout."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ros_mbmrl.robots.hexapod_causes import LEGS
from ros_mbmrl.robots.spec import Array
from ros_mbmrl.share import sim_path
from ros_mbmrl.simulation.calibration import Frame
from ros_mbmrl.simulation.engine import mujoco
from ros_mbmrl.simulation.faults import Effect
from ros_mbmrl.simulation.randomisation import Physics
from ros_mbmrl.simulation.terrain import Terrain

GRAVITY = 9.81
LEG_RADIUS = 0.008  # in the file [m]
HULL_FRICTION = 0.5  # of the legs'
LOST_LEG_MASS = 0.01  # of a leg's own: a body without any mass has no dynamics
SIDES = ("left", "right")


@dataclass(frozen=True)
class Indices:
    """Places of the hexapod's parts in MuJoCo's arrays.

    legs: name of a leg -> (its body, its geoms). leg_geoms, ground_geoms: all of them.
    motors: joint positions, velocities (2,), left first, of the driven middle legs.
    """

    body: int
    hull: int
    legs: dict[str, tuple[int, list[int]]]
    leg_geoms: list[int]
    ground_geoms: list[int]
    motor_qpos: list[int]
    motor_qvel: list[int]
    leg_qpos: dict[str, list[int]]


class Body:
    """A MjModel and what it was when it was loaded, so that every edit starts from there."""

    def __init__(self, terrain: Terrain, frame: Frame) -> None:
        self.model = mujoco.MjModel.from_xml_path(str(sim_path("hexapod.xml")))
        self.indices = _indices(self.model)
        self._shape(frame)
        self._mass = self.model.body_mass.copy()
        self._inertia = self.model.body_inertia.copy()
        self._rgba = self.model.geom_rgba.copy()
        self._forcerange = self.model.actuator_forcerange
        self._force = float(self._forcerange[0, 1])
        self.lay(terrain)

    def lay(self, terrain: Terrain) -> None:
        """Take another ground, whose bumps `shape_ground` fills in and whose rest `apply` sets."""
        self.terrain = terrain
        rough = self.model.geom("rough").id
        self.model.geom_contype[rough] = 1 if terrain.roughness > 0 else 0
        self.model.geom_group[rough] = 0 if terrain.roughness > 0 else 4

    def shape_ground(self, rng: np.random.Generator) -> None:
        """Fill in new bumps; nothing to do on a plane."""
        if self.terrain.roughness > 0:
            model = self.model
            rows = int(model.hfield_nrow[0])
            cell = 2 * float(model.hfield_size[0, 0]) / (rows - 1)
            model.hfield_data[:] = self.terrain.heights(rows, cell, rng).ravel()
            model.hfield_size[0, 2] = self.terrain.roughness

    def apply(self, physics: Physics, effect: Effect) -> None:
        """Set friction, contact, drag, mass, gravity and legs: a function of its arguments."""
        model, at, terrain = self.model, self.indices, self.terrain
        friction = terrain.friction * physics.friction
        model.geom_friction[at.leg_geoms, 0] = friction
        model.geom_friction[at.ground_geoms, 0] = HULL_FRICTION * friction
        model.geom_friction[at.hull, 0] = HULL_FRICTION * friction
        model.geom_solref[at.leg_geoms + at.ground_geoms, 0] = terrain.stiffness
        model.dof_damping[0:2] = terrain.drag * physics.drag
        model.dof_damping[5] = terrain.yaw_drag * physics.drag
        model.dof_damping[6:] = terrain.leg_drag
        model.body_mass[:] = self._mass
        model.body_inertia[:] = self._inertia
        model.body_mass[at.body] *= physics.mass
        model.body_inertia[at.body] *= physics.mass
        model.opt.gravity[:] = _gravity(physics.slope_x, physics.slope_y - effect.slope)
        model.geom_contype[at.leg_geoms] = 0
        model.geom_conaffinity[at.leg_geoms] = 1
        model.geom_rgba[:] = self._rgba
        for leg in effect.missing_legs:
            body, geoms = at.legs[leg]
            model.body_mass[body] *= LOST_LEG_MASS
            model.body_inertia[body] *= LOST_LEG_MASS
            model.geom_conaffinity[geoms] = 0
            model.geom_rgba[geoms, 3] = 0.0

    def _shape(self, frame: Frame) -> None:
        model, at = self.model, self.indices
        scale = frame.leg_radius / LEG_RADIUS
        model.geom_pos[at.leg_geoms] *= scale
        model.geom_size[at.leg_geoms, 1] *= scale  # half length; the wire stays as thick
        model.geom_rbound[at.leg_geoms] *= scale
        model.geom_pos[at.hull, 2] = frame.hull_height
        model.dof_damping[3:5] = frame.roll_damping, frame.pitch_damping

    def limit_force(self, motor: int, fraction: float) -> None:
        """Set what is left of the torque of motor 0 (left) or 1 (right), between 0 and 1."""
        limit = fraction * self._force
        self._forcerange[motor] = -limit, limit


def _gravity(slope_x: float, slope_y: float) -> Array:
    direction = np.array([math.tan(slope_x), math.tan(slope_y), -1.0])
    gravity: Array = GRAVITY * direction / np.linalg.norm(direction)
    return gravity


def _indices(model: mujoco.MjModel) -> Indices:
    legs = {}
    for leg in LEGS:
        body = int(model.body(leg).id)
        first = int(model.body_geomadr[body])
        legs[leg] = body, list(range(first, first + int(model.body_geomnum[body])))
    joints = [model.joint(f"leg_{side}_middle").id for side in SIDES]
    return Indices(
        body=int(model.body("body").id),
        hull=int(model.geom("hull").id),
        legs=legs,
        leg_geoms=[geom for _, geoms in legs.values() for geom in geoms],
        ground_geoms=[int(model.geom(name).id) for name in ("floor", "rough")],
        motor_qpos=[int(model.jnt_qposadr[joint]) for joint in joints],
        motor_qvel=[int(model.jnt_dofadr[joint]) for joint in joints],
        leg_qpos={
            side: [
                int(model.jnt_qposadr[model.joint(leg).id]) for leg in LEGS if f"_{side}_" in leg
            ]
            for side in SIDES
        },
    )
