"""Where a measured number travels: a topic, and the way into its message."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Channel:
    """topic: of the graph. way: names of fields and places in arrays, from the message inwards."""

    topic: str
    way: tuple[str | int, ...]

    def get(self, message: Any) -> float:
        """The number in a message."""
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
    """From its text: `odom.pose.pose.position.x`, `joint_states.position.0`."""
    name, *way = where.split(".")
    return Channel(name, tuple(int(part) if part.isdigit() else part for part in way))
