"""Trunk: a robot's pose in a measurement, and its velocity in its own frame.

Nothing that acts reads it: commands follow from the measurement itself. It is for `odom`, which
people and other packages read. No torch here: the driver imports this file.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ros_mbmrl.robots.spec import Array, RobotSpec

POSITION, ORIENTATION = "odom.pose.pose.position", "odom.pose.pose.orientation"
# Angles that a robot in a plane measures as a passive joint, with the axis that they turn about.
TURNS = ("roll", "pitch", "yaw")
SHORTEST = 0.5  # shortest length of a measured quaternion that still tells an orientation


@dataclass(frozen=True)
class Trunk:
    """Indices of a robot's pose in its measurement.

    Args:
        position: (axis, index) of each coordinate that is measured; axes 0, 1, 2 are x, y, z.
        quaternion: indices of w, x, y, z; empty: not measured.
        turn: (axis, index) of the angle of a robot in a plane [rad], unwrapped; None: it has none.
    """

    position: tuple[tuple[int, int], ...]
    quaternion: tuple[int, ...] = ()
    turn: tuple[int, int] | None = None

    @staticmethod
    def of(spec: RobotSpec) -> Trunk | None:
        """Return the trunk of a robot; None if its position or its orientation is not measured."""
        where = {name: k for k, name in enumerate(spec.channels)}
        names = [f"{POSITION}.{axis}" for axis in "xyz"]
        position = tuple((a, where[name]) for a, name in enumerate(names) if name in where)
        named = {quantity.name: k for k, quantity in enumerate(spec.measurement)}
        turns = [(axis, named[name]) for axis, name in enumerate(TURNS) if name in named]
        whole = [f"{ORIENTATION}.{part}" for part in "wxyz"]
        if not position:
            return None
        if all(name in where for name in whole):
            return Trunk(position, quaternion=tuple(where[name] for name in whole))
        return Trunk(position, turn=turns[0]) if len(turns) == 1 else None

    @property
    def axes(self) -> tuple[int, ...]:
        """Return the axes along which it is known to move: of the position that is measured."""
        return tuple(axis for axis, _ in self.position)

    @property
    def turning_axes(self) -> tuple[int, ...]:
        """Return the axes about which it is known to turn."""
        return (0, 1, 2) if self.turn is None else (self.turn[0],)

    def orientation(self, values: Array) -> Array:
        """Return the unit quaternion (4,), w first, from body to map; nan if it tells none.

        Args:
            values: a measurement (dm,).
        """
        unknown = np.full(4, math.nan)
        if self.turn is None:
            quaternion: Array = values[list(self.quaternion)]
            length = math.hypot(*quaternion)
            whole = SHORTEST < length < 1 / SHORTEST
            return np.array(quaternion / length) if whole else unknown
        axis, index = self.turn
        if not _finite(values[index]):
            return unknown
        quaternion, half = np.zeros(4), values[index] / 2
        quaternion[0], quaternion[1 + axis] = math.cos(half), math.sin(half)
        return quaternion

    def twist(self, values: Array, previous: Array, dt: float) -> tuple[Array, Array] | None:
        """Return the mean velocity over a period, in the body frame at the period's end.

        Args:
            values: the measurement (dm,) at the end.
            previous: the one at the beginning (dm,).
            dt: the time between the two [s], above 0.

        Returns:
            Linear (3,) [m/s] and angular (3,) [rad/s] velocity, x forward, y left, z up; None if
            one of the measurements tells no pose.
        """
        now, before = self.orientation(values), self.orientation(previous)
        moved = np.zeros(3)
        for axis, index in self.position:
            moved[axis] = values[index] - previous[index]
        if not (_finite(moved) and _finite(now) and _finite(before)):
            return None
        turned = _multiply(_conjugate(before), now)
        turned = -turned if turned[0] < 0 else turned
        sine = math.hypot(*turned[1:])
        # The angle over its sine, which is 2 where the turn is too small to divide by.
        scale = 2 * math.atan2(sine, turned[0]) / sine if sine > 1e-9 else 2.0
        return _into_body(now, moved) / dt, scale * turned[1:] / dt


def _finite(values: Array | float) -> bool:
    return bool(np.isfinite(values).all())


def _conjugate(quaternion: Array) -> Array:
    return np.array([quaternion[0], *-quaternion[1:]])


def _multiply(a: Array, b: Array) -> Array:
    """Return the product of quaternions (4,): the turn `b` in the frame of `a`."""
    vector = a[0] * b[1:] + b[0] * a[1:] + _cross(a[1:], b[1:])
    return np.array([a[0] * b[0] - a[1:] @ b[1:], *vector])


def _cross(a: Array, b: Array) -> Array:
    """Return the cross product of vectors (3,); numpy's own is made for arrays of many."""
    (ax, ay, az), (bx, by, bz) = a.tolist(), b.tolist()
    return np.array([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx])


def _into_body(rotation: Array, vector: Array) -> Array:
    """Return a vector (3,) of the map frame in the body frame of `rotation` (4,)."""
    axis = -rotation[1:]
    twice = 2.0 * _cross(axis, vector)
    turned: Array = vector + rotation[0] * twice + _cross(axis, twice)
    return turned
