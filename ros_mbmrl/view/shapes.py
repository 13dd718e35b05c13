"""Shapes of a robot from its MuJoCo model: an entity a body, in the frame of that body."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

import numpy as np

from ros_mbmrl.robots.spec import Array
from ros_mbmrl.simulation.engine import mujoco
from ros_mbmrl.simulation.frames import Frames
from ros_mbmrl.view.things import Colour, Entity, Shape

DRAWN = 2  # the last group of geoms that is drawn, as in MuJoCo's own viewer
GROUND = 10.0  # half the side of a plane without end [m]
THICKNESS = 0.002  # of a plane [m]
SEEN_THROUGH = 0.4  # opacity of a plane: other lines lie on it

Kind = mujoco.mjtGeom


def shapes(frames: Frames) -> tuple[Entity, ...]:
    """Return the entities of a robot and of what its MJCF has around it."""
    model, found = frames.posture.model, []
    for body, frame in enumerate(frames.names):
        geoms = np.flatnonzero(model.geom_bodyid == body)
        drawn = tuple(shape for geom in geoms for shape in _drawn(model, int(geom)))
        if drawn:
            found.append(Entity(frame if body else "ground", frame, shapes=drawn))
    return tuple(found)


def _drawn(model: mujoco.MjModel, geom: int) -> Iterator[Shape]:
    """Yield the shapes of a geom; none if it is not to be seen, or a field of heights."""
    material = int(model.geom_matid[geom])
    rgba = model.geom_rgba[geom] if material < 0 else model.mat_rgba[material]
    red, green, blue, opacity = rgba.tolist()
    kind = Kind(int(model.geom_type[geom]))
    if not opacity or model.geom_group[geom] > DRAWN:
        return
    place = model.geom_pos[geom].copy(), model.geom_quat[geom].copy()
    colour = red, green, blue, opacity
    if kind == Kind.mjGEOM_MESH:
        points = _triangles(model, int(model.geom_dataid[geom]))
        yield Shape("mesh", *place, np.zeros(3), colour, points)
    elif kind in _KINDS:
        yield from _KINDS[kind](model.geom_size[geom], *place, colour)


def _box(size: Array, position: Array, rotation: Array, colour: Colour) -> Iterator[Shape]:
    yield Shape("box", position, rotation, 2 * size, colour)


def _sphere(size: Array, position: Array, rotation: Array, colour: Colour) -> Iterator[Shape]:
    yield Shape("ball", position, rotation, 2 * size[[0, 0, 0]], colour)


def _ellipsoid(size: Array, position: Array, rotation: Array, colour: Colour) -> Iterator[Shape]:
    yield Shape("ball", position, rotation, 2 * size, colour)


def _cylinder(size: Array, position: Array, rotation: Array, colour: Colour) -> Iterator[Shape]:
    yield Shape("cylinder", position, rotation, 2 * size[[0, 0, 1]], colour)


def _capsule(size: Array, position: Array, rotation: Array, colour: Colour) -> Iterator[Shape]:
    yield from _cylinder(size, position, rotation, colour)
    end = np.empty(3)
    mujoco.mju_rotVecQuat(end, np.array([0.0, 0.0, size[1]]), rotation)
    for middle in (position - end, position + end):
        yield from _sphere(size, middle, rotation, colour)


def _plane(size: Array, position: Array, rotation: Array, colour: Colour) -> Iterator[Shape]:
    """Yield a thin box with the plane as its upper side; 0 means without end."""
    sides = np.where(size[:2] > 0, np.minimum(size[:2], GROUND), GROUND)
    normal = np.empty(3)
    mujoco.mju_rotVecQuat(normal, np.array([0.0, 0.0, THICKNESS / 2]), rotation)
    thin = np.array([2 * sides[0], 2 * sides[1], THICKNESS])
    yield Shape("box", position - normal, rotation, thin, (*colour[:3], SEEN_THROUGH))


_KINDS: Mapping[mujoco.mjtGeom, Callable[[Array, Array, Array, Colour], Iterator[Shape]]] = (
    MappingProxyType(
        {
            Kind.mjGEOM_PLANE: _plane,
            Kind.mjGEOM_BOX: _box,
            Kind.mjGEOM_SPHERE: _sphere,
            Kind.mjGEOM_ELLIPSOID: _ellipsoid,
            Kind.mjGEOM_CYLINDER: _cylinder,
            Kind.mjGEOM_CAPSULE: _capsule,
        }
    )
)


def _triangles(model: mujoco.MjModel, mesh: int) -> Array:
    """Return the corners of a mesh's triangles (3 n, 3) [m]."""
    first, count = int(model.mesh_vertadr[mesh]), int(model.mesh_vertnum[mesh])
    begin, faces = int(model.mesh_faceadr[mesh]), int(model.mesh_facenum[mesh])
    vertices = model.mesh_vert[first : first + count].astype(np.float64)
    corners: Array = vertices[model.mesh_face[begin : begin + faces].ravel()]
    return corners
