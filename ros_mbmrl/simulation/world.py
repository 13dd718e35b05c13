"""HexapodWorld: the hexapod on a terrain, stepped in simulated time."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Sequence

import numpy as np

from ros_mbmrl.robots.spec import Array
from ros_mbmrl.simulation.body import Body
from ros_mbmrl.simulation.calibration import Calibration, calibrated
from ros_mbmrl.simulation.engine import mujoco
from ros_mbmrl.simulation.faults import FAULTS, Fault, combine
from ros_mbmrl.simulation.hexapod_causes import causes_of, effectiveness_of
from ros_mbmrl.simulation.motor import NOMINAL_VOLTAGE, Battery
from ros_mbmrl.simulation.payload import Payload
from ros_mbmrl.simulation.randomisation import NOMINAL, Physics
from ros_mbmrl.simulation.terrain import Terrain
from ros_mbmrl.simulation.twin_world import TwinWorld

TICKS_PER_SECOND = 100  # commands, noise and mocap change on this grid
TICK = 1 / TICKS_PER_SECOND  # [s]
DROP_HEIGHT = 0.025  # above the highest bump [m]
AHEAD = 64  # ticks that the ground's noise is drawn for at once
HISTORY = 16  # poses kept, one a tick: what a late sensor looks back on
SETTLE = 0.4  # time for the robot to come to rest after the drop [s]


class HexapodWorld(TwinWorld):
    """The hexapod on a terrain. See `TwinWorld`.

    Args:
        terrain: the first one.
        physics, faults, seed, start, calibration: see `TwinConfig`.
        later: other terrains, with the seconds at which they begin.
    """

    kind, ticks_per_second = Fault, TICKS_PER_SECOND

    def __init__(
        self,
        terrain: Terrain,
        physics: Physics = NOMINAL,
        faults: Sequence[Fault] = (),
        seed: int = 0,
        start: tuple[float, float, float] = (0.0, 0.0, 0.0),
        calibration: Calibration | None = None,
        later: Sequence[tuple[float, Terrain]] = (),
    ) -> None:
        super().__init__(faults)
        self._first, self._later = terrain, tuple(later)
        self._start = start
        self.calibration = calibration or calibrated()
        self.body = Body(terrain, self.calibration.frame)
        self._approach = self.calibration.motor.approach(TICK)
        self.physics = physics
        self.model = self.body.model
        self.data = mujoco.MjData(self.model)
        # Views, taken once: reaching through MuJoCo's bindings costs as much as a physics step.
        self._qpos, self._qvel, self._ctrl = self.data.qpos, self.data.qvel, self.data.ctrl
        self._wrench = self.data.xfrc_applied[self.body.indices.body]
        self._substeps = round(TICK / self.model.opt.timestep)
        self.reset(seed)

    def reset(self, seed: int) -> None:
        """Drop the robot, legs at random angles; let it settle, and put it at the start pose."""
        self.seed = seed
        ground, start, noise = (
            np.random.default_rng(child) for child in np.random.SeedSequence(seed).spawn(3)
        )
        self._noise, self._ground = noise, ground
        self._begin()
        self._due = deque(self._later)
        self._lay(self._first)
        self.effect = self.physics.effect
        self.body.apply(self.physics, self.effect)
        mujoco.mj_resetData(self.model, self.data)
        for positions in self.body.indices.leg_qpos.values():
            self._qpos[positions] = start.uniform(-math.pi, math.pi)
        self._qpos[2] = self.body.terrain.roughness + DROP_HEIGHT
        mujoco.mj_step(self.model, self.data, round(SETTLE / self.model.opt.timestep))
        self._face_forward()
        self.battery = Battery(self.physics.battery)
        self._payload = Payload()
        self._commands: deque[tuple[float, tuple[float, float]]] = deque()
        self._setpoint = (0.0, 0.0)
        self._target = [0.0, 0.0]  # of the servos, on its way to what the set-point asks for
        self._before = [0.0, 0.0, 0.0]
        self.poses = deque([tuple(self._qpos[0:7].tolist())], maxlen=HISTORY)
        self._switch_faults()

    @property
    def voltage(self) -> float:
        """At the battery's terminals [V]."""
        return self.battery.voltage - self.effect.battery_drop

    def set_command(self, action: Array) -> None:
        """Set-points (2,) [rad/s], left and right; they reach the motors after the latency."""
        left, right = (float(speed) for speed in action)
        self._commands.append((self.time + self.physics.latency, (left, right)))

    def halt(self) -> None:
        """Set-points 0 from now on; commands under way are forgotten."""
        self._commands.clear()
        self._setpoint = (0.0, 0.0)

    def pose(self) -> tuple[float, float, float]:
        """True x [m], y [m] and yaw [rad]."""
        x, y, _, w, i, j, k = self._qpos[0:7].tolist()
        return x, y, math.atan2(2 * (w * k + i * j), 1 - 2 * (j * j + k * k))

    def up(self) -> float:
        """Cosine of the angle between the body's and the world's vertical; below 0 upside down."""
        i, j = self._qpos[4:6].tolist()
        return float(1 - 2 * (i * i + j * j))

    def leg_angles(self) -> Array:
        """Unwrapped angles (2,) [rad], left and right."""
        return np.array(self._qpos[self.body.indices.motor_qpos])

    def leg_speeds(self) -> Array:
        """Speeds (2,) [rad/s], left and right."""
        return np.array(self._qvel[self.body.indices.motor_qvel])

    def angular_velocity(self) -> Array:
        """In the body's frame, (3,) [rad/s]: what a perfect gyro reads."""
        return np.array(self._qvel[3:6])

    def specific_force(self) -> Array:
        """In the body's frame, over the last tick, (3,) [m/s^2]: a perfect accelerometer."""
        force = (self._qvel[0:3] - self._before) / TICK - self.model.opt.gravity
        return np.asarray(self._rotation().T @ force)

    def effectiveness(self) -> Array:
        """Return the share of each motor's command that acts now, (2,)."""
        return effectiveness_of(self.physics, self.effect)

    def causes(self) -> Array:
        """Return what else is not as it should be now, in the order of the specification."""
        return causes_of(self.physics, self.effect, self.body.terrain.pull)

    def _tick(self) -> None:
        now = self.time
        self._switch_faults()
        while self._due and self._due[0][0] <= now + 1e-9:
            self._change_ground(self._due.popleft()[1])
        while self._commands and self._commands[0][0] <= now + 1e-9:
            self._setpoint = self._commands.popleft()[1]
        self._drive()
        self._push()
        self._before = self._qvel[0:3].tolist()
        if self.effect.broken_physics:
            self._qvel[0] = math.nan
        mujoco.mj_step(self.model, self.data, self._substeps)
        self._ticks += 1
        left, right = self.body.indices.motor_qvel
        self.battery.use(abs(self._qvel.item(left)) + abs(self._qvel.item(right)), TICK)
        x, y, z, *quaternion = self._qpos[0:7].tolist()
        self.poses.append((x, y, z, *quaternion))

    def _lay(self, terrain: Terrain) -> None:
        """Lay a ground with new bumps, and begin its shaking."""
        push, turn = terrain.shake_push, terrain.shake_yaw
        self._shake = np.array([push, push, terrain.shake_roll, terrain.shake_pitch, turn])
        self._shaking = self._shakes(self._noise)
        self.body.lay(terrain)
        self.body.shape_ground(self._ground)

    def _change_ground(self, terrain: Terrain) -> None:
        """Put the robot onto another ground as it is, above the bumps if those are higher."""
        higher = terrain.roughness - self.body.terrain.roughness
        self._lay(terrain)
        self.body.apply(self.physics, self.effect)
        self._qpos[2] += max(higher, 0.0)

    def _drive(self) -> None:
        effect, voltage, motors = self.effect, self.voltage, self.calibration.motor
        gains = self.physics.left_gain, self.physics.right_gain
        for motor, left in enumerate((effect.left_motor, effect.right_motor)):
            target = motors.target(self._setpoint[motor], left * gains[motor], voltage)
            self._target[motor] += self._approach * (target - self._target[motor])
            self._ctrl[motor] = self._target[motor]
            self.body.limit_force(motor, left * voltage / NOMINAL_VOLTAGE)

    def _push(self) -> None:
        """Forces that are not contacts: the ground's bumps and bias, the payload's rope."""
        wrench = self._wrench
        if any(self._setpoint):
            wrench[:] = self._shaken()
        else:
            wrench[:] = 0.0
        if self.effect.payload > 0:
            mass = self.effect.payload
            force, torque = self._payload.pull(self._qpos[0:3], self._rotation(), mass)
            wrench[0:3] += force
            wrench[3:6] += torque
        else:
            self._payload.clear()

    def _shakes(self, noise: np.random.Generator) -> Iterator[list[float]]:
        """Forces (2) [N] and torques (3) [N m] of the ground, of tick after tick, on the body."""
        while True:
            shakes = self._shake * noise.standard_normal((AHEAD, 5)) * self.physics.process_noise
            yield from shakes.tolist()

    def _shaken(self) -> tuple[float, ...]:
        """The next of them in the world's axes, and the ground's pull to a side.

        In plain numbers: NumPy would take as long as half a physics step.
        """
        push, side, roll, pitch, turn = next(self._shaking)
        w, x, y, z = self._qpos[3:7].tolist()
        xx, xy, xz = 1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)
        yx, yy, yz = 2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)
        zx, zy, zz = 2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)
        return (
            xx * push + xy * side,
            yx * push + yy * side,
            zx * push + zy * side,
            xx * roll + xy * pitch + xz * turn,
            yx * roll + yy * pitch + yz * turn,
            zx * roll + zy * pitch + zz * turn + self.body.terrain.pull,
        )

    def _take_effect(self) -> None:
        own, faults = self.physics.effect, sorted(self.active_faults)
        self.effect = combine((own, *(FAULTS[name] for name in faults)))
        self.body.apply(self.physics, self.effect)

    def _rotation(self) -> Array:
        matrix = np.empty(9)
        mujoco.mju_quat2Mat(matrix, self._qpos[3:7])
        return matrix.reshape(3, 3)

    def _face_forward(self) -> None:
        """Undo the yaw that the drop gave it, and put it at the start pose, at rest."""
        half = (self._start[2] - self.pose()[2]) / 2
        turn = np.array([math.cos(half), 0.0, 0.0, math.sin(half)])
        mujoco.mju_mulQuat(self._qpos[3:7], turn, self._qpos[3:7].copy())
        self._qpos[0:2] = self._start[:2]
        self._qvel[:] = 0.0
