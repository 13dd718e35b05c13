"""HexapodWorld: the hexapod on a terrain, stepped in simulated time."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence

import mujoco
import numpy as np

from ros_mbmrl.robots.spec import Array
from ros_mbmrl.twin.body import GRAVITY, Body
from ros_mbmrl.twin.faults import FAULTS, Effect, Fault, combine
from ros_mbmrl.twin.motor import NOMINAL_VOLTAGE, Battery, servo_target
from ros_mbmrl.twin.payload import Payload
from ros_mbmrl.twin.randomisation import NOMINAL, Physics
from ros_mbmrl.twin.terrain import Terrain

TICK = 0.01  # commands, noise and mocap change on this grid [s]
DROP_HEIGHT = 0.025  # above the highest bump [m]
SETTLE = 0.4  # time for the robot to come to rest after the drop [s]


class HexapodWorld:
    """A robot with its physics, on a terrain, with faults that set in at their second.

    Everything random comes from the seed of `reset`; `time` counts from there [s].
    """

    def __init__(
        self,
        terrain: Terrain,
        physics: Physics = NOMINAL,
        faults: Sequence[Fault] = (),
        seed: int = 0,
    ) -> None:
        self.body = Body(terrain)
        self.physics = physics
        self.model = self.body.model
        self.data = mujoco.MjData(self.model)
        self._faults = tuple(faults)
        self._substeps = round(TICK / self.model.opt.timestep)
        self.reset(seed)

    def reset(self, seed: int) -> None:
        """Drop the robot at the origin, nose along x, legs at random angles; let it settle."""
        ground, start, self._noise = (
            np.random.default_rng(child) for child in np.random.SeedSequence(seed).spawn(3)
        )
        self.effect = Effect()
        self._switched: dict[str, bool] = {}
        self._active: frozenset[str] = frozenset()
        self.body.shape_ground(ground)
        self.body.apply(self.physics, self.effect)
        mujoco.mj_resetData(self.model, self.data)
        for positions in self.body.indices.leg_qpos.values():
            self.data.qpos[positions] = start.uniform(-math.pi, math.pi)
        self.data.qpos[2] = self.body.terrain.roughness + DROP_HEIGHT
        mujoco.mj_step(self.model, self.data, round(SETTLE / self.model.opt.timestep))
        self.data.qpos[0:2] = 0.0
        self._face_forward()
        self.battery = Battery(self.physics.battery)
        self._payload = Payload()
        self._ticks, self._owed = 0, 0.0
        self._commands: deque[tuple[float, Array]] = deque()
        self._setpoint = np.zeros(2)
        self.acceleration = np.array([0.0, 0.0, GRAVITY])  # specific force, body frame [m/s^2]
        self._switch_faults()

    @property
    def time(self) -> float:
        """Simulated time since the reset [s]."""
        return self._ticks * TICK

    @property
    def active_faults(self) -> frozenset[str]:
        """Names of the faults that are present now."""
        return self._active

    @property
    def voltage(self) -> float:
        """At the battery's terminals [V]."""
        return self.battery.voltage - self.effect.battery_drop

    def set_command(self, action: Array) -> None:
        """Set-points (2,) [rad/s], left and right; they reach the motors after the latency."""
        self._commands.append((self.time + self.physics.latency, np.array(action, dtype=float)))

    def set_fault(self, name: str, present: bool) -> None:
        """Switch the fault called `name` by hand, from now on, whatever the schedule says."""
        if name not in FAULTS:
            raise ValueError(f"unknown fault '{name}'")
        self._switched[name] = present
        self._switch_faults()

    def step(self, duration: float) -> None:
        """Let `duration` [s] pass, in ticks; what is less than a tick is owed to the next call."""
        ticks = (self._owed + duration) / TICK
        whole = math.floor(ticks + 1e-6)
        self._owed = max(0.0, (ticks - whole) * TICK)
        for _ in range(whole):
            self._tick()

    def pose(self) -> tuple[float, float, float]:
        """True x [m], y [m] and yaw [rad]."""
        x, y = self.data.qpos[0:2]
        w, i, j, k = self.data.qpos[3:7]
        return float(x), float(y), math.atan2(2 * (w * k + i * j), 1 - 2 * (j * j + k * k))

    def up(self) -> float:
        """Cosine of the angle between the body's and the world's vertical; below 0 upside down."""
        _, i, j, _ = self.data.qpos[3:7]
        return float(1 - 2 * (i * i + j * j))

    def leg_angles(self) -> Array:
        """Unwrapped angles (2,) [rad], left and right."""
        return np.array(self.data.qpos[self.body.indices.motor_qpos])

    def leg_speeds(self) -> Array:
        """Speeds (2,) [rad/s], left and right."""
        return np.array(self.data.qvel[self.body.indices.motor_qvel])

    def _tick(self) -> None:
        self._switch_faults()
        while self._commands and self._commands[0][0] <= self.time + 1e-9:
            self._setpoint = self._commands.popleft()[1]
        self._drive()
        self._push()
        before = np.array(self.data.qvel[0:3])
        mujoco.mj_step(self.model, self.data, self._substeps)
        self._ticks += 1
        self.battery.use(self.leg_speeds(), TICK)
        force = (self.data.qvel[0:3] - before) / TICK - self.model.opt.gravity
        self.acceleration = self._rotation().T @ force

    def _drive(self) -> None:
        left = np.array([self.effect.left_motor, self.effect.right_motor])
        gain = left * (self.physics.left_gain, self.physics.right_gain)
        self.data.ctrl[:] = servo_target(self._setpoint, gain, self.voltage)
        self.body.limit_force(left * self.voltage / NOMINAL_VOLTAGE)

    def _push(self) -> None:
        """Forces that are not contacts: the ground's bumps and bias, the payload's rope."""
        wrench = self.data.xfrc_applied[self.body.indices.body]
        terrain = self.body.terrain
        wrench[:] = 0.0
        if self._setpoint.any():
            shake = terrain.shake * self.physics.process_noise
            wrench[3:6] = shake * self._noise.standard_normal(3)
            wrench[5] += terrain.pull
        if self.effect.payload > 0:
            force, torque = self._payload.pull(
                self.data.qpos[0:3], self._rotation(), self.effect.payload
            )
            wrench[0:3] += force
            wrench[3:6] += torque
        else:
            self._payload.clear()

    def _switch_faults(self) -> None:
        present = {fault.name for fault in self._faults if self.time >= fault.seconds - 1e-9}
        present |= {name for name, on in self._switched.items() if on}
        present -= {name for name, on in self._switched.items() if not on}
        present.discard("none")
        if present != self._active:
            self._active = frozenset(present)
            self.effect = combine(FAULTS[name] for name in sorted(present))
            self.body.apply(self.physics, self.effect)

    def _rotation(self) -> Array:
        matrix = np.empty(9)
        mujoco.mju_quat2Mat(matrix, self.data.qpos[3:7])
        return matrix.reshape(3, 3)

    def _face_forward(self) -> None:
        """Undo the yaw that the drop gave it."""
        half = -self.pose()[2] / 2
        turn = np.array([math.cos(half), 0.0, 0.0, math.sin(half)])
        mujoco.mju_mulQuat(self.data.qpos[3:7], turn, np.array(self.data.qpos[3:7]))
        self.data.qvel[:] = 0.0
