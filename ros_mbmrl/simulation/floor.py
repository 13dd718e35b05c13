"""Lines on the floor and marks, added to a scene that is about to be drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ros_mbmrl.robots.spec import Array
from ros_mbmrl.simulation.engine import mujoco

HEIGHT = 0.001  # of a line's middle above the floor [m]
MARK = (0.9, 0.1, 0.1, 0.35)
RADIUS = 0.014  # of a mark [m]


@dataclass(frozen=True)
class Line:
    """A line on the floor. points: (n, 2) [m]. colour: red, green, blue, alpha. width: [m]."""

    points: Array
    colour: tuple[float, float, float, float]
    width: float


def draw_lines(scene: mujoco.MjvScene, lines: Sequence[Line], place: Array, near: float) -> None:
    """Add the parts of lines that are `near` [m] a place (2,) [m]."""
    capsule = mujoco.mjtGeom.mjGEOM_CAPSULE
    for line in lines:
        close = np.linalg.norm(line.points - place, axis=1) < near
        for k in np.flatnonzero(close[:-1] & close[1:]).tolist():
            begin, end = ((*line.points[i].tolist(), HEIGHT) for i in (k, k + 1))
            shape = _new(scene, capsule, line.colour)
            if shape is None:
                return
            mujoco.mjv_connector(shape, capsule, line.width / 2, np.array(begin), np.array(end))


def mark(scene: mujoco.MjvScene, places: Array) -> None:
    """Add a transparent red ball around the middle of places (n, 3) [m], if there are any."""
    if len(places):
        shape = _new(scene, mujoco.mjtGeom.mjGEOM_SPHERE, MARK)
        if shape is not None:
            shape.size[:], shape.pos[:] = RADIUS, places.mean(axis=0)


def _new(
    scene: mujoco.MjvScene, kind: mujoco.mjtGeom, colour: tuple[float, float, float, float]
) -> mujoco.MjvGeom | None:
    """Return a new shape of a scene, or None if it is full."""
    if scene.ngeom >= scene.maxgeom:
        return None
    shape = scene.geoms[scene.ngeom]
    scene.ngeom += 1
    nothing = np.zeros(3)
    mujoco.mjv_initGeom(
        shape, kind, nothing, nothing, np.eye(3).ravel(), np.array(colour, dtype=np.float32)
    )
    return shape
