"""A box dragged behind on a rope, as a force on the body.

The box is a point that the taut rope pulls after the robot (a tractrix): cheaper than a body of
its own, and it can appear in mid-run. It has friction with the ground and no inertia.
"""

from __future__ import annotations

import math

import numpy as np

from ros_mbmrl.robots.spec import Array

ROPE = 0.06  # [m]
HITCH = np.array([-0.05, 0.0, 0.006])  # where the rope is tied, in the body's frame [m]
BOX_FRICTION = 0.5


class Payload:
    """The box's position, once there is one."""

    def __init__(self) -> None:
        self._box: Array | None = None

    def clear(self) -> None:
        """No box."""
        self._box = None

    def pull(self, position: Array, rotation: Array, mass: float) -> tuple[Array, Array]:
        """Force (3,) [N] and torque (3,) [N m] on the body at `position` (3,), `rotation` (3, 3).

        mass: of the box [kg]. Both are zero while the rope is slack.
        """
        arm = rotation @ HITCH
        hitch = position + arm
        if self._box is None:
            self._box = hitch[:2] - ROPE * rotation[:2, 0]
        rope = self._box - hitch[:2]
        length = math.hypot(rope[0], rope[1])
        if length <= ROPE:
            return np.zeros(3), np.zeros(3)
        along = rope / length
        self._box = hitch[:2] + ROPE * along
        pull = BOX_FRICTION * mass * 9.81
        force = np.array([pull * along[0], pull * along[1], 0.0])
        return force, np.cross(arm, force)
