"""Ground for the half-cheetah: slopes, a hill, a basin, and a pier of floating blocks.

What rises is the union of half-spaces and boxes, so that feet meet no seam where a slope begins;
a box is bounded by the next one only on a ridge, which is an edge in truth. Angles of slopes are
those of iclavera/learning_to_adapt, `half_cheetah_hfield_env.py`, whose hill and basin are as
steep but 3 m long a side; ours are longer, for faster runners.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np

from ros_mbmrl.robots.spec import Array
from ros_mbmrl.simulation.engine import mujoco
from ros_mbmrl.simulation.situations import Terrain

BEGIN = 1.5  # x where what is not level begins [m]; the cheetah's nose starts at 0.75
GENTLE, STEEP = 1 / 18, 4 / 18  # rise over run
SIDE = 6.0  # of a hill or a basin, horizontally [m]
RISES = MappingProxyType({"gentle": GENTLE, "steep": STEEP})
FAR = 500.0  # where the ground ends [m]
WIDTH, DEPTH = 2.0, 1.0  # of boxes, half of it to either side of their middle [m]
OVERLAP = 0.5  # by which boxes go on below the ground where it bends upwards [m]

# (x, z) of the ground from left to right [m].
HILLS: Mapping[str, Sequence[tuple[float, float]]] = MappingProxyType(
    {
        "hill": ((BEGIN, 0.0), (BEGIN + SIDE, 0.2 * SIDE), (BEGIN + 2 * SIDE, 0.0)),
        "basin": (
            (-FAR, 0.0),
            (BEGIN, 0.0),
            (BEGIN + SIDE, -0.2 * SIDE),
            (BEGIN + 2 * SIDE, 0.0),
            (FAR, 0.0),
        ),
    }
)

OUTLINE = "outline"  # name of the numbers of a model that tell its ground's
BLOCK_NAME = "block_"  # beginning of the name of a block, and of its joint

BLOCKS = 24
BLOCK = 2.0  # length of a block [m]
GAP = 0.01  # between two of them [m]
PIER = -5.0  # x where the pier begins [m]; the cheetah starts on the third block
TRAVEL = 0.15  # by which a block sinks or rises at most [m]
# The reference's blocks, scaled from its cheetah's mass to ours: there, `settotalmass` counts the
# blocks. The cheetah's weight sinks a block by 0.1 m, and at most a third of its oscillation's
# damping is its own.
BLOCK_MASS, STIFFNESS, DAMPING = 14.0, 1400.0, 90.0  # [kg], [N/m], at most [N s/m]
FRICTION = (0.2, 0.8)  # range of a block's; the floor's is 0.4


def lay_ground(specification: mujoco.MjSpec, terrain: Terrain) -> None:
    """Put `terrain` below the half-cheetah of a specification that has a level `floor`."""
    floor = specification.geom("floor")
    if terrain.kind == "slope":
        floor.quat = _tilted(terrain.angle)
    elif terrain.kind in RISES:
        angle = math.atan(RISES[terrain.kind])
        _add(specification, mujoco.mjtGeom.mjGEOM_PLANE, (BEGIN, 0, 0), angle, floor.size)
    elif terrain.kind in HILLS:
        _lay_boxes(specification, HILLS[terrain.kind])
    elif terrain.kind == "pier":
        _lay_pier(specification, np.random.default_rng(terrain.seed))
    if terrain.kind in ("basin", "pier"):  # below all of it, and nothing touches it
        floor.pos, floor.conaffinity = [0, 0, -5], 0
    if terrain != Terrain():
        points = outline(terrain).ravel()
        specification.add_numeric(name=OUTLINE, data=points, size=len(points))


def outline(terrain: Terrain) -> Array:
    """Return the ground as points (n, 2) of x and z [m], straight lines between, level beyond.

    A pier's is 0, where its blocks float when nothing stands on them.
    """
    if terrain.kind in RISES:
        return np.array([(BEGIN, 0.0), (FAR, RISES[terrain.kind] * (FAR - BEGIN))])
    if terrain.kind in HILLS:
        return np.array(HILLS[terrain.kind])
    rise = FAR * math.tan(terrain.angle)
    return np.array([(-FAR, -rise), (FAR, rise)])


def height_at(model: mujoco.MjModel, full: Array, x: Array) -> Array:
    """Return the height of a model's ground below places x (...) [m]; 0 of level ground.

    full: states of MuJoCo (..., s), which say how deep the blocks of a pier float.
    """
    if not model.nnumeric:
        return np.zeros(np.shape(x))
    points = model.numeric(OUTLINE).data.reshape(-1, 2)
    height = np.asarray(np.interp(x, points[:, 0], points[:, 1]))
    first = mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_JOINT, f"{BLOCK_NAME}0")
    if first < 0:
        return height
    number = np.floor((np.nan_to_num(x) - PIER) / BLOCK).astype(int)
    place = 1 + model.jnt_qposadr[first] + number.clip(0, BLOCKS - 1)
    depth = np.take_along_axis(full, place[..., None], axis=-1)[..., 0]
    return height + np.where((number >= 0) & (number < BLOCKS), depth, 0.0)


def slope_at(terrain: Terrain, x: Array) -> Array:
    """Return the inclination of the ground at places x (...) [m], in radians about the world's y.

    It is positive where the ground rises with x. A pier, whose blocks float level, has none.
    """
    points = outline(terrain)
    return _with_ends(_slopes(points))[np.searchsorted(points[:, 0], x, side="right")]


def _slopes(points: Array) -> Array:
    """Return the inclination [rad] of each stretch between two of the points (n, 2)."""
    return np.asarray(np.arctan2(np.diff(points[:, 1]), np.diff(points[:, 0])))


def _with_ends(slopes: Array) -> Array:
    """Return slopes with the level floor left and right of them."""
    return np.concatenate([[0.0], slopes, [0.0]])


def _lay_boxes(specification: mujoco.MjSpec, knots: Sequence[tuple[float, float]]) -> None:
    """A box below every stretch between two knots, prolonged where the ground bends upwards."""
    points = np.array(knots)
    slopes = _slopes(points)
    around = _with_ends(slopes)
    for k, angle in enumerate(slopes):
        along = np.array([math.cos(angle), math.sin(angle)])
        left = points[k] - along * OVERLAP * (around[k] < angle)
        right = points[k + 1] + along * OVERLAP * (angle < around[k + 2])
        middle = (left + right) / 2 + DEPTH / 2 * np.array([along[1], -along[0]])
        size = (np.linalg.norm(right - left) / 2, WIDTH / 2, DEPTH / 2)
        place = (middle[0], 0.0, middle[1])
        _add(specification, mujoco.mjtGeom.mjGEOM_BOX, place, float(angle), size)


def _lay_pier(specification: mujoco.MjSpec, rng: np.random.Generator) -> None:
    """Blocks that float level when nothing stands on them, and firm ground before and after."""
    end = PIER + BLOCKS * BLOCK
    for low, high in ((-FAR, PIER), (end, FAR)):
        size = ((high - low) / 2, WIDTH / 2, DEPTH / 2)
        place = ((low + high) / 2, 0.0, -DEPTH / 2)
        _add(specification, mujoco.mjtGeom.mjGEOM_BOX, place, 0.0, size)
    damping, friction = rng.uniform(0, DAMPING, BLOCKS), rng.uniform(*FRICTION, BLOCKS)
    for k in range(BLOCKS):
        name, x = f"{BLOCK_NAME}{k}", PIER + (k + 0.5) * BLOCK
        body = specification.worldbody.add_body(name=name, pos=[x, 0, -0.05], gravcomp=1)
        body.add_joint(
            name=name,
            type=mujoco.mjtJoint.mjJNT_SLIDE,
            axis=[0, 0, 1],
            limited=mujoco.mjtLimited.mjLIMITED_TRUE,
            range=[-TRAVEL, TRAVEL],
            stiffness=STIFFNESS,
            damping=damping[k],
            armature=0,
        )
        body.add_geom(
            type=mujoco.mjtGeom.mjGEOM_BOX,
            size=[(BLOCK - GAP) / 2, WIDTH / 2, 0.05],
            mass=BLOCK_MASS,
            # Of two geoms that touch, the one with the higher priority says what friction is.
            priority=1,
            friction=[friction[k], 0.1, 0.1],
            contype=0,
            conaffinity=1,
        )


def _add(
    specification: mujoco.MjSpec,
    kind: mujoco.mjtGeom,
    place: Sequence[float],
    angle: float,
    size: Sequence[float],
) -> None:
    """A geom of the world that the cheetah touches and that nothing else does."""
    specification.worldbody.add_geom(
        type=kind, pos=place, quat=_tilted(angle), size=size, contype=0, conaffinity=1
    )


def _tilted(angle: float) -> list[float]:
    """The quaternion of a slope that rises with x by `angle` [rad]."""
    return [math.cos(angle / 2), 0.0, -math.sin(angle / 2), 0.0]
