"""Layout: where the numbers of a described robot are in its MuJoCo model."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import numpy as np

from ros_mbmrl.robots.angles import yaw_of
from ros_mbmrl.robots.described.description import FLOATING, ORIENTATION, PLANAR, Description
from ros_mbmrl.robots.described.twin_reading import TwinDescription, errors
from ros_mbmrl.robots.spec import Array
from ros_mbmrl.simulation.engine import mujoco
from ros_mbmrl.simulation.simulated.named import identity

_SENSOR = re.compile(r"(?P<name>[^\[\]]+)(?:\[(?P<index>\d+)\])?")
FREE = int(mujoco.mjtJoint.mjJNT_FREE)
Read = Callable[[mujoco.MjData], float]


class Layout:
    """Measurements of a described robot's model, and states put into it.

    Args:
        model: compiled.
        description: of the robot.
        twin: its section `twin`.

    Attributes:
        base: the body whose pose is measured; -1: none.

    Raises:
        UserError: the model lacks something that is named or measured.
    """

    def __init__(
        self, model: mujoco.MjModel, description: Description, twin: TwinDescription
    ) -> None:
        self._model, self._description, self._twin = model, description, twin
        self.base = self._find_base()
        self._sensed = False
        self._reads = [self._number(each.name) for each in description.scalars if not each.derived]
        self._scalars = [each.name for each in description.scalars]
        self._errors = errors(description)

    def joint(self, name: str) -> int:
        """Return the joint that the file calls `name`. Raises UserError."""
        place = self._twin.place("joints", name)
        return identity(self._model, "joint", self._twin.joints.get(name, name), place)

    def measure(self, model: mujoco.MjModel, data: mujoco.MjData) -> Array:
        """Return the measurement (dm,) of positions, velocities and controls.

        Args:
            model: one of the same sizes; its numbers may differ.
            data: of it.
        """
        if self._sensed:
            mujoco.mj_forward(model, data)
        else:
            mujoco.mj_kinematics(model, data)
            mujoco.mj_comPos(model, data)
            mujoco.mj_comVel(model, data)
        return np.array([*self._pose(data), *(read(data) for read in self._reads)])

    def put(self, state: Array, qpos: Array, qvel: Array) -> None:
        """Write a state (ds,) into positions and velocities; what it does not tell stays."""
        kind, model = self._description.kind, self._model
        taken = {PLANAR: 4, FLOATING: 7}.get(kind, 0)
        known = dict(zip(self._scalars, state[taken:], strict=True))
        adr = self._free_joint()
        if adr is not None:
            place, rates = model.jnt_qposadr[adr], model.jnt_dofadr[adr]
            if kind == FLOATING:
                qpos[place : place + 7] = state[:7]
            else:
                x, y, yaw = state[0], state[1], np.arctan2(state[3], state[2])
                _turn(qpos[place : place + 7], x, y, yaw)
            self._put_rates(known, qpos[place + 3 : place + 7], qvel[rates : rates + 6])
        for name, value in known.items():
            joint, rate = self._joint_of(name)
            if joint >= 0 and rate:
                qvel[model.jnt_dofadr[joint]] = value
            elif joint >= 0:
                qpos[model.jnt_qposadr[joint]] = value

    def move(self, qpos: Array, start: tuple[float, float, float]) -> None:
        """Move the base to x, y [m] and yaw [rad], if it moves freely; height and tilt stay."""
        if (joint := self._free_joint()) is not None:
            first = self._model.jnt_qposadr[joint]
            _turn(qpos[first : first + 7], *start)

    def disturbed(self, measured: Array, off: Array) -> Array:
        """Return measurements (n, dm) that are off by errors (n, de), in the order of `errors`."""
        pose, result = self._description.pose, np.array(measured)
        angles = np.zeros((len(measured), 3))
        names = self._description.measured
        for k, name in enumerate(self._errors):
            if name in names:
                result[:, names.index(name)] += off[:, k]
            else:
                angles[:, ("roll", "pitch", "yaw").index(name)] = off[:, k]
        if pose[-1:] == ORIENTATION[-1:] and angles.any():
            first = len(pose) - 4
            for row, turn in zip(result[:, first : first + 4], angles, strict=True):
                by = np.empty(4)
                mujoco.mju_euler2Quat(by, turn, "XYZ")
                mujoco.mju_mulQuat(row, by, row.copy())
        return result

    def _pose(self, data: mujoco.MjData) -> list[float]:
        names = self._description.pose
        if not names:
            return []
        where, turn = data.xpos[self.base], data.xquat[self.base]
        if names[-1] == "yaw":
            return [where[0], where[1], float(yaw_of(*turn))]
        return [*where[: len(names) - 4], *turn]

    def _number(self, name: str) -> Read:
        """Return what reads a measured number: a sensor, a joint, or a rate of the base."""
        twin, model = self._twin, self._model
        known = twin.sensors.get(name)
        if isinstance(known, float):
            value = known
            return lambda data: value
        if known is not None:
            return self._sensor(name, known)
        joint, rate = self._joint_of(name)
        if joint >= 0:
            adr = int(model.jnt_dofadr[joint] if rate else model.jnt_qposadr[joint])
            return lambda data: float((data.qvel if rate else data.qpos)[adr])
        if mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_SENSOR, name) >= 0:
            return self._sensor(name, name)
        if self.base >= 0 and name in _RATES:
            read = _RATES[name]
            return lambda data: read(self._velocity(data), float(yaw_of(*data.xquat[self.base])))
        raise twin.place("sensors").error(
            f"nothing in the model measures '{name}': expected a joint or a sensor of this name, "
            "or its sensor in 'sensors'"
        )

    def _joint_of(self, name: str) -> tuple[int, bool]:
        """Return the joint whose position, or rate, a number is; -1: of none."""
        rate = name.endswith("_velocity")
        own = name.removesuffix("_velocity")
        if own in self._description.joints:
            return self.joint(own), rate
        wanted = self._twin.joints.get(own, own)
        return mujoco.mj_name2id(self._model, mujoco.mjtObj.mjOBJ_JOINT, wanted), rate

    def _sensor(self, name: str, text: str) -> Read:
        place, parts = self._twin.place("sensors", name), _SENSOR.fullmatch(text)
        if parts is None:
            raise place.wrong("a sensor's name, or name[index]")
        sensor = identity(self._model, "sensor", parts["name"], place)
        index, size = int(parts["index"] or 0), int(self._model.sensor_dim[sensor])
        if index >= size or (parts["index"] is None and size > 1):
            raise place.error(f"sensor '{parts['name']}' has {size} numbers: expected name[index]")
        adr, self._sensed = int(self._model.sensor_adr[sensor]) + index, True
        return lambda data: float(data.sensordata[adr])

    def _velocity(self, data: mujoco.MjData) -> Array:
        """Return the base's angular (3,) [rad/s], then linear velocity (3,) [m/s], in its frame,
        then the linear velocity in the world's."""
        own, world, kind = np.empty(6), np.empty(6), mujoco.mjtObj.mjOBJ_XBODY
        mujoco.mj_objectVelocity(self._model, data, kind, self.base, own, 1)
        mujoco.mj_objectVelocity(self._model, data, kind, self.base, world, 0)
        return np.concatenate([own, world[3:]])

    def _put_rates(self, known: Mapping[str, float], turn: Array, rates: Array) -> None:
        """Write the base's rates into a free joint's velocities (6,)."""
        if "yaw_rate" in known:
            rates[5] = known["yaw_rate"]
        if "speed" in known:
            yaw, ahead, left = yaw_of(*turn), known["speed"], known.get("lateral_speed", 0.0)
            rates[0] = np.cos(yaw) * ahead - np.sin(yaw) * left
            rates[1] = np.sin(yaw) * ahead + np.cos(yaw) * left
        if "velocity_x" in known:
            own = np.array([known[f"velocity_{axis}"] for axis in "xyz"])
            mujoco.mju_rotVecQuat(rates[:3], own, turn)
        if "rate_x" in known:
            rates[3:] = [known[f"rate_{axis}"] for axis in "xyz"]

    def _free_joint(self) -> int | None:
        """Return the free joint of the base; None: it has none."""
        if self.base < 0 or not self._model.body_jntnum[self.base]:
            return None
        joint = int(self._model.body_jntadr[self.base])
        return joint if self._model.jnt_type[joint] == FREE else None

    def _find_base(self) -> int:
        model, twin = self._model, self._twin
        if not self._description.pose:
            return -1
        if twin.base:
            return identity(model, "body", twin.base, twin.place("base"))
        free = np.flatnonzero(model.jnt_type == FREE)
        if not len(free):
            raise twin.place("").error("no body moves freely: expected 'base'")
        return int(model.jnt_bodyid[free[0]])


def _turn(free: Array, x: float, y: float, yaw: float) -> None:
    """Put a free joint's positions (7,) to a place and a heading; height and tilt stay."""
    half = 0.5 * (yaw - yaw_of(*free[3:7]))
    by, before = np.array([np.cos(half), 0.0, 0.0, np.sin(half)]), free[3:7].copy()
    free[:2] = x, y
    mujoco.mju_mulQuat(free[3:7], by, before)


def _ahead(velocity: Array, yaw: float) -> float:
    return float(velocity[6] * np.cos(yaw) + velocity[7] * np.sin(yaw))


def _leftward(velocity: Array, yaw: float) -> float:
    return float(velocity[7] * np.cos(yaw) - velocity[6] * np.sin(yaw))


def _part(index: int) -> Callable[[Array, float], float]:
    return lambda velocity, _: float(velocity[index])


# By name, of `Layout._velocity` and the heading.
_RATES: Mapping[str, Callable[[Array, float], float]] = {
    "speed": _ahead,
    "lateral_speed": _leftward,
    "yaw_rate": _part(2),
    **{f"{name}_{axis}": _part(k) for name in ("rate", "gyro") for k, axis in enumerate("xyz")},
    **{f"velocity_{axis}": _part(3 + k) for k, axis in enumerate("xyz")},
}
