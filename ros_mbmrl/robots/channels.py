"""Channel: where a measured number travels, as a topic and a path inside its message."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

MAP_VELOCITY = "velocity"  # topic of a velocity in the map frame
# Until version 0.1, runners' velocities travelled in `odom`, where the body's frame is expected.
_BEFORE: Mapping[str, str] = MappingProxyType(
    {
        "velocity.vector.": "odom.twist.twist.linear.",
        "imu.angular_velocity.": "odom.twist.twist.angular.",
    }
)


@dataclass(frozen=True)
class Channel:
    """A topic of the graph, and `way`: field names and array indices, from the message inwards."""

    topic: str
    way: tuple[str | int, ...]

    def get(self, message: Any) -> float:
        """Return the number in a message."""
        for part in self.way:
            message = message[part] if isinstance(part, int) else getattr(message, part)
        return float(message)

    def put(self, message: Any, value: float) -> None:
        """Write the number into a message."""
        *inner, last = self.way
        for part in inner:
            message = message[part] if isinstance(part, int) else getattr(message, part)
        if isinstance(last, int):
            message[last] = value
        else:
            setattr(message, last, value)


def channel(where: str) -> Channel:
    """Return the channel for its text: `odom.pose.pose.position.x`, `joint_states.position.0`."""
    name, *way = where.split(".")
    return Channel(name, tuple(int(part) if part.isdigit() else part for part in way))


def recorded_channels(channels: Collection[str], topics: Collection[str]) -> tuple[str, ...]:
    """Return where a robot's numbers are in a recording, which may be from before.

    Args:
        channels: of the robot's specification.
        topics: names in the graph of the topics that the recording has.
    """
    needed = {channel(where).topic for where in channels}
    if MAP_VELOCITY not in needed or MAP_VELOCITY in topics:
        return tuple(channels)
    return tuple(_before(where) for where in channels)


def _before(where: str) -> str:
    for new, old in _BEFORE.items():
        if where.startswith(new):
            return old + where.removeprefix(new)
    return where
