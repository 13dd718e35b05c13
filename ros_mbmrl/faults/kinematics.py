"""Kinematics: a robot of a file that does what it is told, exactly. No ROS, no clock of its own."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from ros_mbmrl.errors import UserError
from ros_mbmrl.robots.described.description import Description

NOISE = 1e-4  # of each measured number, in its unit: sensors never say the same twice
STILL = 0.01  # of the fastest command: what is slower counts as at rest
SLACK = 1e-6  # of a command's range, for rounding
RESERVE = 2.0  # of a joint's speed beyond its commands': so it catches up with its position
GRAVITY = 9.81  # [m/s^2]
CHARGE = 1.5  # voltage of a battery, as a multiple of the one that counts as low
Way = tuple[str, ...]  # end of a field's path
_AHEAD: Way
_LEFT: Way
_TURN: Way
_AHEAD, _LEFT, _TURN = ("linear", "x"), ("linear", "y"), ("angular", "z")


class Kinematics:
    """Motion of a base in the plane, or of joints that go to the positions they are sent.

    Args:
        description: of the robot.
        timeout: without a command after which a base stops by itself [s].
        generator: of the noise.

    Raises:
        UserError: its commands move neither a base nor joints, or its pose comes by transforms.
    """

    def __init__(
        self, description: Description, timeout: float, generator: np.random.Generator
    ) -> None:
        self._description, self._timeout, self._generator = description, timeout, generator
        self._way = {name: _direction(description, name) for name in description.sinks}
        lost = [name for name, way in self._way.items() if not way]
        if not description.sinks or description.transforms or lost:
            what = f"command '{lost[0]}'" if lost else "transforms" if description.sinks else ""
            raise UserError(
                f"{description.file}: {what or 'a robot without topics'} cannot be played: "
                "expected a pose in a message, and commands of a base (linear.x, linear.y, "
                "angular.z) or with 'integrates'"
            )
        limits = description.envelope.state_limits
        self._position = {n: sum(limits.get(n, (0.0, 0.0))) / 2 for n in description.joints}
        self._target = dict(self._position)
        self._rate = dict.fromkeys(self._position, 0.0)
        self._still = {
            self._way[each.name]: STILL * max(abs(each.low), abs(each.high))
            for each in description.action
        }
        self._twist = np.zeros(3)  # ahead, left [m/s], turn [rad/s]
        self._told_at = -math.inf
        self.pose = np.zeros(3)  # x, y [m], yaw [rad]

    @property
    def placed(self) -> bool:
        """Return whether it is a base."""
        return bool(self._description.pose)

    @property
    def moving(self) -> bool:
        """Return whether anything moves."""
        speeds = dict(zip((_AHEAD, _LEFT, _TURN), self._twist.tolist(), strict=True))
        return any(
            abs(self._rate[way] if isinstance(way, str) else speeds[way]) > still
            for way, still in self._still.items()
        )

    def tell(self, values: Mapping[str, float], now: float) -> bool:
        """Take a message of commands at `now` [s]; return whether it is safe: finite, in range.

        What is not finite moves nothing.
        """
        safe = all(map(math.isfinite, values.values()))
        if not safe:
            return False
        self._told_at = now
        twist = dict.fromkeys((_AHEAD, _LEFT, _TURN), 0.0)
        for limit in self._description.action:
            value, way = values[limit.name], self._way[limit.name]
            if isinstance(way, str):
                self._target[way] = value
                at = (value - self._position[way]) / self._description.period
                self._rate[way] = float(np.clip(at, RESERVE * limit.low, RESERVE * limit.high))
            else:
                twist[way] = value
                safe &= limit.low - SLACK <= value <= limit.high + SLACK
        self._twist = np.array(list(twist.values()))
        return safe

    def step(self, duration: float, now: float) -> None:
        """Move for `duration` [s] until `now` [s]."""
        if now - self._told_at > self._timeout:
            self._twist = np.zeros(3)
        ahead, left, turn = self._twist
        yaw = self.pose[2] + turn * duration / 2
        self.pose[0] += (ahead * math.cos(yaw) - left * math.sin(yaw)) * duration
        self.pose[1] += (ahead * math.sin(yaw) + left * math.cos(yaw)) * duration
        self.pose[2] = math.remainder(self.pose[2] + turn * duration, 2 * math.pi)
        for name, rate in self._rate.items():
            away = self._target[name] - self._position[name]
            if abs(away) <= abs(rate) * duration:
                self._position[name], self._rate[name] = self._target[name], 0.0
            else:
                self._position[name] += rate * duration

    def measured(self) -> dict[str, float]:
        """Return what its sensors say, by the names of the measured numbers."""
        ahead, left, turn = self._twist
        x, y, yaw = self.pose + self._noise(3)
        known = {"x": x, "y": y, "yaw": yaw, "qw": math.cos(yaw / 2), "qz": math.sin(yaw / 2)}
        known |= {"speed": ahead, "velocity_x": ahead, "acceleration_z": GRAVITY}
        known |= {"lateral_speed": left, "velocity_y": left}
        known |= dict.fromkeys(("yaw_rate", "rate_z", "gyro_z"), turn)
        known["battery"] = CHARGE * max(1.0, self._description.envelope.battery_low)
        known |= self._position | {f"{name}_velocity": r for name, r in self._rate.items()}
        exact = ("x", "y", "yaw", "qw", "qx", "qy", "qz")  # have their noise, or none
        envelope = self._description.envelope
        found = {}
        for name in self._description.measured:
            low, high = envelope.state_limits.get(name, envelope.state_range.get(name, (0.0, 0.0)))
            usual = (low + high) / 2 if math.isfinite(low + high) else 0.0
            noise = 0.0 if name in exact else float(self._noise(1)[0])
            found[name] = float(known.get(name, 0.0 if name in exact else usual)) + noise
        return found

    def _noise(self, count: int) -> np.ndarray:
        return NOISE * self._generator.standard_normal(count)


def settled(driven: Sequence[tuple[float, bool]], period: float) -> list[tuple[float, bool]]:
    """Return (time, whether it moves) with rests shorter than 1.5 periods taken as motion.

    Between two positions that are sent a joint may stand still for a moment.

    Args:
        driven: (time [s], whether it moves), in order.
        period: [s] between two commands.
    """
    found, until = [], math.inf  # when it moves next
    for when, moves in reversed(driven):
        until = when if moves else until
        found.append((when, moves or until - when < 1.5 * period))
    return found[::-1]


def _direction(description: Description, name: str) -> str | Way:
    """Return the joint that a command leads, or the base's direction; empty: neither."""
    sink = description.sinks[name]
    if sink.integrates:
        return sink.integrates if sink.integrates in description.joints else ""
    if name in description.drives:
        return (_AHEAD, _TURN)[description.drives.index(name)]
    way = tuple(map(str, sink.field.way[-2:]))
    return way if description.pose and way in (_AHEAD, _LEFT, _TURN) else ""
