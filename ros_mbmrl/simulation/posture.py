"""Posture: where the bodies of a robot are in a state, by the kinematics of its MuJoCo model.

Pictures, the scene of the live view and transforms are all drawn from it; nothing is simulated.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from ros_mbmrl.errors import UserError
from ros_mbmrl.robots.spec import Array
from ros_mbmrl.share import sim_path
from ros_mbmrl.simulation.body import Body
from ros_mbmrl.simulation.calibration import calibrated, make_terrain
from ros_mbmrl.simulation.engine import mujoco
from ros_mbmrl.simulation.models import models_of
from ros_mbmrl.simulation.simulated.described import DescribedSimulation
from ros_mbmrl.simulation.situations import POSSIBLE, Factors, Situation, Terrain


class Posture(ABC):
    """A robot's MuJoCo model that is put into states.

    Attributes:
        model: as it is when nothing is broken.
        data: body poses of the last state that `put` was told, in the `map` frame.
    """

    def __init__(self, model: mujoco.MjModel) -> None:
        self.model, self.data = model, mujoco.MjData(model)

    def put(self, state: Array) -> mujoco.MjData:
        """Put the robot into a state (ds,).

        Returns:
            `data`; its bodies are at `xpos` (n, 3) [m] and `xquat` (n, 4), w first.

        Raises:
            ValueError: a state that is not finite.
        """
        if not np.isfinite(state).all():
            raise ValueError("state: expected finite numbers")
        self.data.qpos[:] = self._positions(np.asarray(state))
        mujoco.mj_kinematics(self.model, self.data)
        mujoco.mj_comPos(self.model, self.data)  # what the lights may follow
        mujoco.mj_camlight(self.model, self.data)
        return self.data

    @abstractmethod
    def _positions(self, state: Array) -> Array:
        """Return MuJoCo's positions (nq,) in a state (ds,)."""


class _Hexapod(Posture):
    """Legs of a side share their motor's angle."""

    def __init__(self) -> None:
        self._body = Body(make_terrain("plain"), calibrated().frame)
        super().__init__(self._body.model)

    def _positions(self, state: Array) -> Array:
        qpos: Array = self.data.qpos.copy()
        qpos[0:3] = state[0:3]
        qpos[3:7] = _quaternion(np.arctan2(state[7:12:2], state[6:12:2]))
        legs = np.arctan2(state[16:19:2], state[15:19:2])
        for side, angle in zip(("left", "right"), legs, strict=True):
            qpos[self._body.indices.leg_qpos[side]] = angle
        return qpos


class _JointsFirst(Posture):
    """A robot whose state begins with MuJoCo's positions; what else the model has stays."""

    def __init__(self, model: mujoco.MjModel, count: int) -> None:
        super().__init__(model)
        self._count = count

    def _positions(self, state: Array) -> Array:
        qpos: Array = self.data.qpos.copy()
        qpos[: self._count] = state[: self._count]
        return qpos


class _Described(Posture):
    """A robot of a file: what its states do not tell is as it begins."""

    def __init__(self, simulation: DescribedSimulation) -> None:
        super().__init__(simulation.model(Terrain(), Factors()))
        rng = np.random.default_rng(0)
        self._begin, _ = simulation.start(self.model, Terrain(), rng)
        self._layout = simulation.layout

    def _positions(self, state: Array) -> Array:
        qpos = np.array(self._begin)
        self._layout.put(state, qpos, np.zeros(self.model.nv))
        return qpos


def make_posture(robot: str, situation: Situation | None = None) -> Posture:
    """Return the posture of the robot called `robot`.

    Args:
        robot: its name.
        situation: of a simulated robot, whose ground is there to be drawn; None: flat.

    Raises:
        UserError: there is no MuJoCo model of it.
    """
    if robot == "hexapod":
        return _Hexapod()
    if robot == "pr2_arm":
        model = mujoco.MjModel.from_xml_path(str(sim_path("pr2_arm.xml")))
        return _JointsFirst(model, model.nq)
    if robot in POSSIBLE:
        models = models_of(robot)
        if isinstance(models.simulation, DescribedSimulation):
            return _Described(models.simulation)
        model = models.get(situation or Situation()).model
        return _JointsFirst(model, model.nq)
    known = ", ".join(("hexapod", "pr2_arm", *POSSIBLE))
    raise UserError(f"robot '{robot}' has no MuJoCo model to draw; expected one of {known}")


def _quaternion(angles: Array) -> Array:
    """Return the unit quaternion (4,), w first, of roll, pitch and yaw (3,) [rad]."""
    quaternion = np.empty(4)
    mujoco.mju_euler2Quat(quaternion, angles[::-1], "zyx")
    return quaternion
