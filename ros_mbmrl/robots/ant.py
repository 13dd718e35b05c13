"""Ant: a torso on four legs with two motors each, simulated only.

The robot of the thesis, section 9.4; its body is gymnasium's Ant-v5. x forward, y left, z up. The
state is MuJoCo's qpos and qvel, measured directly; contact forces are not part of it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from ros_mbmrl.errors import choose
from ros_mbmrl.robots.rewards import Run, Running
from ros_mbmrl.robots.spec import (
    TORQUE_SHARE,
    Array,
    Envelope,
    Limit,
    LiveSensor,
    Quantity,
    Robot,
    RobotSpec,
)

if TYPE_CHECKING:
    from torch import Tensor

    from ros_mbmrl.robots.task import Task

LEGS = (1, 2, 3, 4)  # front left, back left, back right, front right
JOINTS = tuple(f"{part}_{leg}" for leg in LEGS for part in ("hip", "ankle"))
MOTORS = tuple(f"{part}_{leg}" for leg in (4, 1, 2, 3) for part in ("hip", "ankle"))
PERIOD = 0.05  # as in gymnasium: five steps of 0.01 s
RUNNING = Running(period=PERIOD, effort=0.005, alive=0.05)

STATE = (
    *(Quantity(name, "m") for name in "xyz"),
    *(Quantity(name, "1") for name in ("qw", "qx", "qy", "qz")),  # MuJoCo's order
    *(Quantity(name, "rad") for name in JOINTS),
    *(Quantity(name, "m/s") for name in ("vx", "vy", "vz")),  # map frame
    *(Quantity(name, "rad/s") for name in ("gyro_x", "gyro_y", "gyro_z")),  # body frame
    *(Quantity(f"{name}_velocity", "rad/s") for name in JOINTS),
)
_QUATERNION = slice(3, 7)

SPEC = RobotSpec(
    name="ant",
    period=PERIOD,
    measurement=STATE,
    channels=(
        *(f"odom.pose.pose.position.{axis}" for axis in "xyz"),
        *(f"odom.pose.pose.orientation.{axis}" for axis in "wxyz"),
        *(f"joint_states.position.{MOTORS.index(name)}" for name in JOINTS),
        *(f"odom.twist.twist.linear.{axis}" for axis in "xyz"),
        *(f"odom.twist.twist.angular.{axis}" for axis in "xyz"),
        *(f"joint_states.velocity.{MOTORS.index(name)}" for name in JOINTS),
    ),
    state=STATE,
    # Full torque is 150 N m each. The rate lets a command cross its whole range in one period.
    action=tuple(Limit(name, TORQUE_SHARE, -1.0, 1.0, rate=2.0 / PERIOD) for name in MOTORS),
    features=tuple(quantity.name for quantity in STATE[2:]),
    changes=STATE,
    change_weights=(1.0,) * len(STATE),
    envelope=Envelope(
        state_timeout=0.11,
        command_timeout=0.095,
        max_model_error=100.0,
        # The robot may fall over and continue, and there are no obstacles: only states that are
        # physically impossible end a run.
        state_limits=MappingProxyType(
            {
                **dict.fromkeys("xy", (-1000.0, 1000.0)),
                "z": (-5.0, 50.0),
                **dict.fromkeys(("vx", "vy", "vz"), (-30.0, 30.0)),
                **dict.fromkeys(("gyro_x", "gyro_y", "gyro_z"), (-100.0, 100.0)),
                **dict.fromkeys(JOINTS, (-3.2, 3.2)),
                **dict.fromkeys((f"{name}_velocity" for name in JOINTS), (-200.0, 200.0)),
            }
        ),
        live_sensors=(LiveSensor(("x", "y", "z")), LiveSensor(JOINTS)),
    ),
)


class Ant(Robot):
    """The ant's maps between measurement, state, features and change."""

    spec = SPEC

    def estimate(self, measurement: Array, previous: Array | None, dt: float) -> Array:
        """Return the measurement unchanged. See `Robot.estimate`."""
        return np.array(measurement)

    def pose(self, state: Array) -> tuple[float, float, float]:
        """Return x, y and yaw."""
        w, x, y, z = state[_QUATERNION]
        yaw = math.atan2(2 * (w * z + x * y), w * w + x * x - y * y - z * z)
        return float(state[0]), float(state[1]), yaw

    def features(self, state: Tensor) -> Tensor:
        """Return all states but x and y."""
        return state[..., 2:]

    def difference(self, state: Tensor, next_state: Tensor) -> Tensor:
        """Return plain differences: the sign of the quaternion is continuous from step to step."""
        return next_state - state

    def advance(self, state: Tensor, change: Tensor) -> Tensor:
        """Return the next state: `difference` inverted, with the quaternion normalised again."""
        moved = state + change
        rotation = moved[..., _QUATERNION]
        length = rotation.square().sum(-1, keepdim=True).sqrt().clamp_min(1e-6)
        moved[..., _QUATERNION] = rotation / length
        return moved

    @property
    def follows_paths(self) -> bool:
        """Return False: the task is to run along x, though x and y are known."""
        return False

    def tasks(self) -> Sequence[str]:
        """Return the task of the thesis, table 5."""
        return ("run",)

    def make_task(self, name: str, start: Array) -> Task:
        """Return the task of running along x. Raises UserError."""
        choose("task", name, self.tasks())
        return Run(RUNNING)
