"""Frames of a robot: map -> odom -> base_link -> its bodies, from its posture.

As REP 105 names them. Odometry is measured in the map frame, so that odom and map are one place;
where a robot's position is measured from elsewhere (`RobotSpec.origin`), odom is that place.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.pr2_kinematics import SHOULDER_Y
from ros_mbmrl.robots.spec import Array
from ros_mbmrl.simulation.engine import mujoco
from ros_mbmrl.simulation.posture import Posture, make_posture

MAP, ODOM, BASE = "map", "odom", "base_link"
ORIGIN, IDENTITY = (0.0, 0.0, 0.0), (1.0, 0.0, 0.0, 0.0)
# Joints of a body that moves freely in the world, or in a plane: the robot's trunk.
FREE = (int(mujoco.mjtJoint.mjJNT_FREE), int(mujoco.mjtJoint.mjJNT_SLIDE))
SHOULDER = "l_shoulder_pan_link"  # of the PR2: hangs on a frame that its MJCF does not have
TORSO = "torso_lift_link"


@dataclass(frozen=True)
class Transform:
    """Place of a frame in its parent.

    Args:
        parent, child: names of frames.
        translation: x, y, z [m].
        rotation: quaternion, w first.
    """

    parent: str
    child: str
    translation: tuple[float, float, float]
    rotation: tuple[float, float, float, float]


class Frames:
    """Frames of a robot, named as in its MJCF.

    Attributes:
        posture: of the robot.
        trunk: index of the body that is `base_link`; 0 if the robot is bolted to the world.
        names: of the frame of each body, by its index; the world's is `map`.
    """

    def __init__(self, posture: Posture, origin: tuple[float, float, float] = ORIGIN) -> None:
        self.posture, self._origin = posture, np.array(origin)
        model = posture.model
        self.trunk = next((b for b in range(1, model.nbody) if _is_trunk(model, b)), 0)
        names = [model.body(b).name or f"body_{b}" for b in range(model.nbody)]
        names[self.trunk], names[0] = BASE, MAP
        self.names: tuple[str, ...] = tuple(names)
        self._fixed = [Transform(MAP, ODOM, origin, IDENTITY)]
        if not self.trunk:
            self._fixed.append(Transform(ODOM, BASE, ORIGIN, IDENTITY))
        if SHOULDER in names:
            x, y, z = model.body(SHOULDER).pos - [0.0, SHOULDER_Y, 0.0]
            self._fixed.append(Transform(BASE, TORSO, (float(x), float(y), float(z)), IDENTITY))

    def transforms(self, state: Array) -> list[Transform]:
        """Return all transforms in a state (ds,), parents first.

        Raises:
            ValueError: a state that is not finite.
        """
        data = self.posture.put(state)
        return [*self._fixed, *(self._of(data, body) for body in range(1, len(self.names)))]

    def fixed(self) -> list[Transform]:
        """Return the transforms that are the same in every state."""
        model, bolted = self.posture.model, self._bodies(moving=False)
        places = [
            (model.body_pos[body].tolist(), model.body_quat[body].tolist()) for body in bolted
        ]
        return [
            *self._fixed,
            *(
                Transform(self.parent(body), self.names[body], (x, y, z), (w, i, j, k))
                for body, ((x, y, z), (w, i, j, k)) in zip(bolted, places, strict=True)
            ),
        ]

    def moving(self, state: Array) -> list[Transform]:
        """Return the transforms that depend on the state (ds,).

        Raises:
            ValueError: a state that is not finite.
        """
        data = self.posture.put(state)
        return [self._of(data, body) for body in self._bodies(moving=True)]

    def parent(self, body: int) -> str:
        """Return the frame that a body hangs on: a bolted robot's stand on `base_link`."""
        above = int(self.posture.model.body_parentid[body])
        return self.names[above] if above else (ODOM if self.trunk else BASE)

    def _bodies(self, moving: bool) -> list[int]:
        joints = self.posture.model.body_jntnum
        return [b for b in range(1, len(self.names)) if bool(joints[b]) == moving]

    def _of(self, data: mujoco.MjData, body: int) -> Transform:
        """Return a body in its parent; what hangs on the world hangs on odom or base_link."""
        parent = int(self.posture.model.body_parentid[body])
        back, offset, rotation = np.empty(4), np.empty(3), np.empty(4)
        mujoco.mju_negQuat(back, data.xquat[parent])
        mujoco.mju_rotVecQuat(offset, data.xpos[body] - data.xpos[parent], back)
        mujoco.mju_mulQuat(rotation, back, data.xquat[body])
        if parent == 0:
            offset -= self._origin
        x, y, z = offset.tolist()
        w, i, j, k = rotation.tolist()
        return Transform(self.parent(body), self.names[body], (x, y, z), (w, i, j, k))


def make_frames(robot: str) -> Frames:
    """Return the frames of the robot called `robot`. Raises UserError: it has no MuJoCo model."""
    return Frames(make_posture(robot), make_robot(robot).spec.origin)


def _is_trunk(model: mujoco.MjModel, body: int) -> bool:
    joints = model.body_jntnum[body]
    hangs_on_world = model.body_parentid[body] == 0
    return bool(hangs_on_world and joints and model.jnt_type[model.body_jntadr[body]] in FREE)
