"""Floating: the maps of a runner whose trunk moves freely in space.

A model sees and predicts in the frame of the body, so that it does not matter where it looks:
it learns a turn once and not once for every heading.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from ros_mbmrl.robots.spec import Array, Robot

if TYPE_CHECKING:
    from torch import Tensor

POSITION, QUATERNION = slice(0, 3), slice(3, 7)


class Floating(Robot):
    """Runner whose state is MuJoCo's qpos and qvel: a free joint, then one joint a motor.

    The linear velocity is in the map frame and the angular one in the body's, as MuJoCo has them.
    Changes are in the body frame: that of the period's beginning, but velocities each in their own.
    """

    @property
    def _count(self) -> int:
        """Return the number of joints; each has a motor."""
        return len(self.spec.action)

    @property
    def _joints(self) -> slice:
        return slice(7, 7 + self._count)

    @property
    def _velocity(self) -> slice:
        return slice(7 + self._count, 10 + self._count)

    @property
    def _rates(self) -> slice:
        """Return the place of the rates of the body and of the joints."""
        return slice(10 + self._count, 13 + 2 * self._count)

    def estimate(self, measurement: Array, previous: Array | None, dt: float) -> Array:
        """Return the measurement unchanged. See `Robot.estimate`."""
        return np.array(measurement)

    def pose(self, state: Array) -> tuple[float, float, float]:
        """Return x, y and yaw."""
        w, x, y, z = state[QUATERNION]
        yaw = math.atan2(2 * (w * z + x * y), w * w + x * x - y * y - z * z)
        return float(state[0]), float(state[1]), yaw

    @property
    def observed(self) -> tuple[str, ...]:
        """See `observation`."""
        return tuple(quantity.name for quantity in self.spec.state[2:])

    def observation(self, state: Tensor) -> Tensor:
        """Return all states but x and y, as gymnasium's."""
        return state[..., 2:]

    def features(self, state: Tensor) -> Tensor:
        """Return height, the vertical and the velocity in the body frame, joints, and rates."""
        import torch

        from ros_mbmrl.robots import rotations

        rotation = state[..., QUATERNION]
        velocity = rotations.rotate(rotations.inverse(rotation), state[..., self._velocity])
        parts = (state[..., 2:3], rotations.up(rotation), state[..., self._joints], velocity)
        return torch.cat([*parts, state[..., self._rates]], dim=-1)

    def difference(self, state: Tensor, next_state: Tensor) -> Tensor:
        """Return the change seen from the body; see the class."""
        import torch

        from ros_mbmrl.robots import rotations

        back, after = (rotations.inverse(each[..., QUATERNION]) for each in (state, next_state))
        moved = next_state - state
        before, velocity = state[..., self._velocity], next_state[..., self._velocity]
        turn = rotations.multiply(back, next_state[..., QUATERNION])
        parts = (
            rotations.rotate(back, moved[..., POSITION]),
            rotations.to_vector(turn),
            moved[..., self._joints],
            rotations.rotate(after, velocity) - rotations.rotate(back, before),
            moved[..., self._rates],
        )
        return torch.cat(parts, dim=-1)

    def advance(self, state: Tensor, change: Tensor) -> Tensor:
        """Return the next state: `difference` inverted, with the quaternion normalised again."""
        import torch

        from ros_mbmrl.robots import rotations

        rotation = state[..., QUATERNION]
        count = self._count
        parts = torch.split(change, [3, 3, count, 3, 3 + count], dim=-1)
        forward, turn, joints, faster, rates = parts
        turned = rotations.multiply(rotation, rotations.from_vector(turn))
        turned = rotations.normalised(turned)
        velocity = rotations.rotate(rotations.inverse(rotation), state[..., self._velocity])
        moved = (
            state[..., POSITION] + rotations.rotate(rotation, forward),
            turned,
            state[..., self._joints] + joints,
            rotations.rotate(turned, velocity + faster),
            state[..., self._rates] + rates,
        )
        return torch.cat(moved, dim=-1)

    @property
    def follows_paths(self) -> bool:
        """Return False: the task is to run along a course, though x and y are known."""
        return False
