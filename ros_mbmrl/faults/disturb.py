"""Disturb messages on their way: functions from a message to what is published instead.

Imports no ROS: a message is whatever has the fields of the topic's type. Messages are never
changed in place.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from functools import partial
from types import MappingProxyType
from typing import Any

from ros_mbmrl.robots.channels import Channel, channel
from ros_mbmrl.robots.spec import RobotSpec

LATE = 0.4  # [s] of `delayed`
JUMP = 10  # [s] of the clock
HUGE = 1e9

# What is to be published, and how much later [s].
Out = list[tuple[float, Any]]
Disturbance = Callable[[Any], Out]


class Fields:
    """The numbers of the messages of a robot's topics."""

    def __init__(self, spec: RobotSpec) -> None:
        self._channels = [channel(where) for where in spec.channels]
        self._command = spec.command_field

    def numbers(self, topic: str, message: Any) -> list[Channel]:
        """Return where they are: measured numbers of a state topic, all of a command's."""
        if topic.startswith("command/"):
            count = len(getattr(message, self._command))
            return [Channel(topic, (self._command, k)) for k in range(count)]
        return [each for each in self._channels if each.topic == topic]


def make(kind: str, topic: str, fields: Fields, last: Any = None) -> Disturbance:
    """Return the disturbance called `kind` of messages on `topic`.

    Args:
        last: The newest message before it, if there was one.

    Raises:
        KeyError: For an unknown kind.
    """
    if kind in VALUES:
        return _changing(lambda message: _put(topic, fields, message, VALUES[kind]))
    if kind in _CHANGES:
        return _changing(_CHANGES[kind])
    if kind in _FROM_LAST:
        return _FROM_LAST[kind](last)
    return _MAKERS[kind](topic, fields)


def _changing(change: Callable[[Any], None]) -> Disturbance:
    """Return what publishes at once a copy of each message that `change` has changed."""

    def disturb(message: Any) -> Out:
        changed = deepcopy(message)
        change(changed)
        return [(0.0, changed)]

    return disturb


def _put(topic: str, fields: Fields, message: Any, change: Callable[[float], float]) -> None:
    """Change every number of a message."""
    for where in fields.numbers(topic, message):
        where.put(message, change(where.get(message)))


# Of every number of a message.
VALUES: Mapping[str, Callable[[float], float]] = MappingProxyType(
    {
        "nan": lambda value: math.nan,
        "inf": lambda value: math.inf,
        "huge": lambda value: HUGE,
    }
)


def _wrong_size(message: Any) -> None:
    for name in ("position", "velocity", "effort"):
        setattr(message, name, getattr(message, name)[:1])


def _wrong_names(message: Any) -> None:
    message.name = [f"{name}_of_another" for name in message.name]


def _clock(seconds: int, message: Any) -> None:
    """Set stamps `seconds` from the truth."""
    for stamp in (message.header.stamp, getattr(message, "time_ref", None)):
        if stamp is not None:
            stamp.sec = max(0, stamp.sec + seconds)


def _jump(message: Any) -> None:
    """Move the pose half a metre: motion capture has taken another marker for the robot's."""
    message.pose.pose.position.x += 0.5
    message.pose.pose.position.y -= 0.4


def _mirror(message: Any) -> None:
    """Exchange left and right: motion capture has the markers the wrong way round."""
    pose = message.pose.pose
    pose.position.y = -pose.position.y
    pose.orientation.x, pose.orientation.z = -pose.orientation.x, -pose.orientation.z


def _wrap(message: Any) -> None:
    """Let the first joint's encoder begin anew after a turn."""
    message.position[0] = math.remainder(message.position[0], 2 * math.pi)


def _frozen(last: Any) -> Disturbance:
    """Repeat the last message again and again, under new stamps."""

    def disturb(message: Any) -> Out:
        again = deepcopy(message if last is None else last)
        again.header = message.header
        return [(0.0, again)]

    return disturb


def _stuck(last: Any) -> Disturbance:
    """Let the first joint's encoder say what it said last."""

    def change(message: Any) -> None:
        message.position[0] = (message if last is None else last).position[0]

    return _changing(change)


def _reordered(topic: str, fields: Fields) -> Disturbance:
    """Let every second message come after the one that follows it."""
    held: list[Any] = []

    def disturb(message: Any) -> Out:
        if held:
            return [(0.0, message), (0.0, held.pop())]
        held.append(message)
        return []

    return disturb


def _sagging(topic: str, fields: Fields) -> Disturbance:
    """Take a tenth of a volt more from the battery with every message, down to 3 V."""
    lost = [0.0]

    def change(message: Any) -> None:
        lost[0] += 0.1
        message.voltage = max(3.0, message.voltage - lost[0])

    return _changing(change)


def _wild(topic: str, fields: Fields) -> Disturbance:
    """Make every third message telemetry that no sensor can mean, as in real logs."""
    count = [0]
    wild = _changing(lambda m: _put(topic, fields, m, lambda value: 300.0 * (1.0 + value)))

    def disturb(message: Any) -> Out:
        count[0] += 1
        return wild(message) if count[0] % 3 == 1 else [(0.0, message)]

    return disturb


_CHANGES: Mapping[str, Callable[[Any], None]] = MappingProxyType(
    {
        "wrong_size": _wrong_size,
        "wrong_names": _wrong_names,
        "clock_ahead": partial(_clock, JUMP),
        "clock_back": partial(_clock, -JUMP),
        "jumped": _jump,
        "mirrored": _mirror,
        "wrapped": _wrap,
    }
)

_FROM_LAST: Mapping[str, Callable[[Any], Disturbance]] = MappingProxyType(
    {"frozen": _frozen, "stuck": _stuck}
)

_MAKERS: Mapping[str, Callable[[str, Fields], Disturbance]] = MappingProxyType(
    {
        "silent": lambda topic, fields: lambda message: [],
        "delayed": lambda topic, fields: lambda message: [(LATE, message)],
        "duplicated": lambda topic, fields: lambda m: [(0.0, m), (0.0, m), (0.02, m)],
        "reordered": _reordered,
        "sagging": _sagging,
        "wild": _wild,
    }
)

KINDS: Sequence[str] = (*VALUES, *_CHANGES, *_FROM_LAST, *_MAKERS)
