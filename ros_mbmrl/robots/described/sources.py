"""Sources: where the numbers of a robot travel on its own topics, outside of the graph."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# A path into a message: `pose.position.x`, `data[0]`, `velocity[left_wheel_joint]`.
_PART = re.compile(r"\.?([A-Za-z_]\w*)|\[([^\[\]]+)\]")
TYPE = re.compile(r"[A-Za-z]\w*/msg/[A-Za-z]\w*")
# Which of them a base takes has changed over the years: this word stands for the one it takes.
TWIST = "twist"
TWISTS = ("geometry_msgs/msg/Twist", "geometry_msgs/msg/TwistStamped")


@dataclass(frozen=True)
class RobotTopic:
    """A topic of the robot itself.

    Args:
        name: as the robot has it, with the `/` in front; a relative one is in the graph's
            namespace.
        type: of its messages, as `nav_msgs/msg/Odometry`.
        reliable: quality of service that is asked for, or offered; None: what suits the other side.
        stamped: its stamps are this machine's time; otherwise it counts when a message came.
        timeout: age up to which its numbers count [s]; None: the envelope's `state_timeout`.
    """

    name: str
    type: str
    reliable: bool | None = None
    stamped: bool = True
    timeout: float | None = None

    @property
    def types(self) -> tuple[str, ...]:
        """Return the types that its messages may have: one, but for `TWIST`."""
        return TWISTS if self.type == TWIST else (self.type,)


@dataclass(frozen=True)
class Field:
    """A number in a message: field names, indices, and names of joints, from outside inwards.

    A name of a joint stands for the place of that name in the message's `name` (JointState), or
    `joint_names` (JointTrajectory, and others of its kind).

    Args:
        way: names of fields and indices.
        joint: whose place in the last array it is; empty: the way alone leads there.
    """

    way: tuple[str | int, ...]
    joint: str = ""

    def __str__(self) -> str:
        text = ""
        for part in (*self.way, *([f"[{self.joint}]"] if self.joint else [])):
            text += f"[{part}]" if isinstance(part, int) else f"{'' if '[' in part else '.'}{part}"
        return text.removeprefix(".")

    def under(self, *way: str | int) -> Field:
        """Return the field that leads on from here."""
        return Field((*self.way, *way), self.joint)

    def read(self, message: Any) -> float:
        """Return the number in a message.

        Raises:
            LookupError: the message has no such joint, or no value for it; the text says so.
        """
        found: Any = message
        for part in self.way:
            found = found[part] if isinstance(part, int) else getattr(found, part)
        if self.joint:
            found = found[place_of(self.joint, message, len(found), str(self))]
        return float(found)


def place_of(joint: str, message: Any, count: int, field: str) -> int:
    """Return the place of a joint's number in an array of `count` values of a message.

    Raises:
        LookupError: the message does not name the joint, or has no value for it.
    """
    names = [*getattr(message, "name", ()), *getattr(message, "joint_names", ())]
    if joint not in names:
        told = ", ".join(names[:12]) or "none"
        raise LookupError(f"joint '{joint}': expected it among the message's, which are {told}")
    place = names.index(joint)
    if place >= count:
        raise LookupError(f"{field}: the message has {count} values for {len(names)} joints")
    return place


def parse_field(text: str) -> Field:
    """Parse a path into a message.

    Raises:
        ValueError: it is none; the text says what was expected.
    """
    parts: list[str | int] = []
    at = 0
    while at < len(text):
        found = _PART.match(text, at)
        if found is None or (parts and isinstance(parts[-1], str) and parts[-1].startswith("[")):
            raise ValueError("expected a path such as pose.position.x, data[0], position[elbow]")
        name, index = found.groups()
        if index is not None and not parts:
            raise ValueError("expected a field's name in front of [...]")
        if index is not None:
            parts.append(int(index) if index.isdigit() else f"[{index}]")
        else:
            parts.append(name)
        at = found.end()
    if not parts:
        raise ValueError("expected a path into a message, got nothing")
    last = parts[-1]
    if isinstance(last, str) and last.startswith("["):
        return Field(tuple(parts[:-1]), last[1:-1])
    return Field(tuple(parts))


@dataclass(frozen=True)
class Source:
    """Place where a quantity is measured.

    Args:
        topic: its name in the file.
        field: of its messages.
        scale: factor from the message's unit to the quantity's.
    """

    topic: str
    field: Field
    scale: float = 1.0

    def read(self, message: Any) -> float:
        """Return the quantity that a message tells, in its SI unit. See `Field.read`."""
        return self.scale * self.field.read(message)


@dataclass(frozen=True)
class Sink:
    """Place where a command goes.

    Args:
        field: of the command's message.
        scale: factor from the message's unit to the command's.
        integrates: the measured quantity that the command is the rate of, where the robot takes
            positions: what is sent is the position then, and 0 holds it. Empty: the command itself.
    """

    field: Field
    scale: float = 1.0
    integrates: str = ""


def readers(sources: Mapping[str, Source], topic: str) -> Sequence[str]:
    """Return the names of the quantities that come by a topic."""
    return [name for name, source in sources.items() if source.topic == topic]
