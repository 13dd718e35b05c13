"""Channel: where a measured number travels, as a topic and a path inside its message."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


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
