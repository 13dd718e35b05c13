"""A base with two driven wheels: told how fast to go and to turn, seen through `odom`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from ros_mbmrl.robots.paths import PATHS, make_path
from ros_mbmrl.robots.quantities import Limit, Quantity
from ros_mbmrl.robots.spec import Array, Envelope, Robot, RobotSpec

if TYPE_CHECKING:
    from ros_mbmrl.robots.task import Task
    from torch import Tensor

SPEC = RobotSpec(
    name="wheeled",
    period=0.1,
    measurement=(
        *(Quantity(name, "m") for name in ("x", "y")),
        *(Quantity(name, "1") for name in ("qw", "qx", "qy", "qz")),
        Quantity("speed", "m/s"),
        Quantity("yaw_rate", "rad/s"),
    ),
    channels=(
        *(f"odom.pose.pose.position.{axis}" for axis in "xy"),
        *(f"odom.pose.pose.orientation.{axis}" for axis in "wxyz"),
        "odom.twist.twist.linear.x",
        "odom.twist.twist.angular.z",
    ),
    state=(
        *(Quantity(name, "m") for name in ("x", "y")),
        *(Quantity(name, "1") for name in ("cos_yaw", "sin_yaw")),
        Quantity("speed", "m/s"),
        Quantity("yaw_rate", "rad/s"),
    ),
    action=(
        Limit("speed", "m/s", low=-0.3, high=0.6, rate=3.0),
        Limit("yaw_rate", "rad/s", low=-2.0, high=2.0, rate=20.0),
    ),
    features=("speed", "yaw_rate"),
    changes=(
        *(Quantity(name, "m") for name in ("forward", "left")),
        Quantity("yaw", "rad"),
        Quantity("speed", "m/s"),
        Quantity("yaw_rate", "rad/s"),
    ),
    # The path is followed in x, y and yaw: their errors count more.
    change_weights=(4.0, 4.0, 8.0, 1.0, 1.0),
    envelope=Envelope(
        arena=(-3.0, 3.0, -3.0, 3.0),
        margin=0.3,
        state_timeout=0.25,
        command_timeout=0.25,
        max_model_error=25.0,
    ),
)


class Wheeled(Robot):
    """The base's maps between measurement, state, features and change."""

    spec = SPEC

    def estimate(self, measurement: Array, previous: Array | None, dt: float) -> Array:
        """See `Robot.estimate`; `odom` measures the velocities, so nothing is differentiated."""
        x, y, qw, qx, qy, qz, speed, yaw_rate = measurement
        yaw = math.atan2(2 * (qw * qz + qx * qy), 1 - 2 * (qy * qy + qz * qz))
        return np.array([x, y, math.cos(yaw), math.sin(yaw), speed, yaw_rate])

    def pose(self, state: Array) -> tuple[float, float, float]:
        """x, y, yaw."""
        return float(state[0]), float(state[1]), math.atan2(state[3], state[2])

    def retreat(self, state: Array, target: tuple[float, float]) -> Array:
        """Turn on the spot while facing away from the target, drive once facing it."""
        x, y, yaw = self.pose(state)
        bearing = math.remainder(math.atan2(target[1] - y, target[0] - x) - yaw, 2 * math.pi)
        action = [0.3 * max(0.0, math.cos(bearing)), 2.0 * bearing]
        return np.clip(action, self.spec.action_low, self.spec.action_high)

    def steer(self, forward: float, turn: float) -> Array:
        """What a joystick says, -1 to 1 each, as a command; turn is positive to the left."""
        return np.array([forward, turn]) * self.spec.action_high

    def features(self, state: Tensor) -> Tensor:
        """Velocities: where it is and looks does not matter to how it moves."""
        return state[..., 4:6]

    def difference(self, state: Tensor, next_state: Tensor) -> Tensor:
        """Displacement in the body frame, turn, and plain differences of the velocities."""
        import torch

        cos, sin = state[..., 2], state[..., 3]
        next_cos, next_sin = next_state[..., 2], next_state[..., 3]
        d = next_state - state
        forward = cos * d[..., 0] + sin * d[..., 1]
        left = cos * d[..., 1] - sin * d[..., 0]
        yaw = torch.atan2(next_sin * cos - next_cos * sin, next_cos * cos + next_sin * sin)
        return torch.stack([forward, left, yaw, d[..., 4], d[..., 5]], dim=-1)

    def advance(self, state: Tensor, change: Tensor) -> Tensor:
        """`difference` inverted."""
        import torch

        x, y, cos, sin, speed, yaw_rate = state.unbind(-1)
        forward, left, yaw, faster, turning = change.unbind(-1)
        c, s = torch.cos(yaw), torch.sin(yaw)
        moved = [
            x + cos * forward - sin * left,
            y + sin * forward + cos * left,
            cos * c - sin * s,
            sin * c + cos * s,
            speed + faster,
            yaw_rate + turning,
        ]
        return torch.stack(moved, dim=-1)

    def tasks(self) -> Sequence[str]:
        """The paths that every robot with an x and a y can follow."""
        return tuple(PATHS)

    def make_task(self, name: str, start: Array) -> Task:
        """Follow the path called `name`, laid from the starting pose."""
        from ros_mbmrl.robots.path_following import PathFollowing

        return PathFollowing(self, make_path(name).placed(*self.pose(start)))
