"""What can happen to messages on their way, as functions from messages to messages.

Imports no ROS: a message is whatever has the fields of the topic's type. Messages are never
changed in place.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from types import MappingProxyType
from typing import Any

from ros_mbmrl.robots.channels import Channel, channel
from ros_mbmrl.robots.spec import RobotSpec

NANO = 1_000_000_000
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
        """Where they are: measured numbers of a state topic, all of a command's."""
        if topic.startswith("command/"):
            count = len(getattr(message, self._command))
            return [Channel(topic, (self._command, k)) for k in range(count)]
        return [each for each in self._channels if each.topic == topic]


def make(kind: str, topic: str, fields: Fields, last: Any = None) -> Disturbance:
    """The disturbance called `kind` of messages on `topic`. Raises KeyError for an unknown one.

    last: the newest message before it, if there was one.
    """
    if kind in VALUES:
        return _values(topic, fields, VALUES[kind])
    if kind in _FROM_LAST:
        return _FROM_LAST[kind](last)
    return _MAKERS[kind](topic, fields)


def _values(topic: str, fields: Fields, change: Callable[[float], float]) -> Disturbance:
    def disturb(message: Any) -> Out:
        changed = deepcopy(message)
        for where in fields.numbers(topic, changed):
            where.put(changed, change(where.get(message)))
        return [(0.0, changed)]

    return disturb


# Of every number of a message.
VALUES: Mapping[str, Callable[[float], float]] = MappingProxyType(
    {
        "nan": lambda value: math.nan,
        "inf": lambda value: math.inf,
        "huge": lambda value: HUGE,
    }
)


def _silent(topic: str, fields: Fields) -> Disturbance:
    return lambda message: []


def _delayed(topic: str, fields: Fields) -> Disturbance:
    return lambda message: [(LATE, message)]


def _duplicated(topic: str, fields: Fields) -> Disturbance:
    return lambda message: [(0.0, message), (0.0, message), (0.02, message)]


def _reordered(topic: str, fields: Fields) -> Disturbance:
    """Every second message comes after the one that follows it."""
    held: list[Any] = []

    def disturb(message: Any) -> Out:
        if held:
            return [(0.0, message), (0.0, held.pop())]
        held.append(message)
        return []

    return disturb


def _frozen(last: Any) -> Disturbance:
    """The last message again and again, under new stamps."""

    def disturb(message: Any) -> Out:
        again = deepcopy(message if last is None else last)
        again.header = message.header
        return [(0.0, again)]

    return disturb


def _wrong_size(topic: str, fields: Fields) -> Disturbance:
    def disturb(message: Any) -> Out:
        changed = deepcopy(message)
        for name in ("position", "velocity", "effort"):
            setattr(changed, name, getattr(changed, name)[:1])
        return [(0.0, changed)]

    return disturb


def _wrong_names(topic: str, fields: Fields) -> Disturbance:
    def disturb(message: Any) -> Out:
        changed = deepcopy(message)
        changed.name = [f"{name}_of_another" for name in message.name]
        return [(0.0, changed)]

    return disturb


def _clock(seconds: int) -> Callable[[str, Fields], Disturbance]:
    """Stamps `seconds` from the truth."""

    def make_one(topic: str, fields: Fields) -> Disturbance:
        def disturb(message: Any) -> Out:
            changed = deepcopy(message)
            for stamp in (changed.header.stamp, getattr(changed, "time_ref", None)):
                if stamp is not None:
                    stamp.sec = max(0, stamp.sec + seconds)
            return [(0.0, changed)]

        return disturb

    return make_one


def _jump(topic: str, fields: Fields) -> Disturbance:
    """Motion capture has taken another marker for the robot's: half a metre away."""

    def disturb(message: Any) -> Out:
        changed = deepcopy(message)
        changed.pose.pose.position.x += 0.5
        changed.pose.pose.position.y -= 0.4
        return [(0.0, changed)]

    return disturb


def _mirrored(topic: str, fields: Fields) -> Disturbance:
    """Motion capture has the markers the wrong way round: left is right."""

    def disturb(message: Any) -> Out:
        changed = deepcopy(message)
        pose = changed.pose.pose
        pose.position.y = -pose.position.y
        pose.orientation.x, pose.orientation.z = -pose.orientation.x, -pose.orientation.z
        return [(0.0, changed)]

    return disturb


def _stuck(last: Any) -> Disturbance:
    """The first joint's encoder says what it said last."""

    def disturb(message: Any) -> Out:
        changed = deepcopy(message)
        changed.position[0] = (message if last is None else last).position[0]
        return [(0.0, changed)]

    return disturb


def _wrapped(topic: str, fields: Fields) -> Disturbance:
    """The first joint's encoder begins anew after a turn."""

    def disturb(message: Any) -> Out:
        changed = deepcopy(message)
        changed.position[0] = math.remainder(message.position[0], 2 * math.pi)
        return [(0.0, changed)]

    return disturb


def _sagging(topic: str, fields: Fields) -> Disturbance:
    """A battery that loses a tenth of a volt with every message, down to 3 V."""
    lost = [0.0]

    def disturb(message: Any) -> Out:
        lost[0] += 0.1
        changed = deepcopy(message)
        changed.voltage = max(3.0, message.voltage - lost[0])
        return [(0.0, changed)]

    return disturb


def _wild(topic: str, fields: Fields) -> Disturbance:
    """The first and every third message is telemetry as no sensor can mean it, as in real logs."""
    count = [0]

    def disturb(message: Any) -> Out:
        count[0] += 1
        if count[0] % 3 != 1:
            return [(0.0, message)]
        changed = deepcopy(message)
        for where in fields.numbers(topic, changed):
            where.put(changed, 300.0 * (1.0 + where.get(message)))
        return [(0.0, changed)]

    return disturb


_MAKERS: Mapping[str, Callable[[str, Fields], Disturbance]] = MappingProxyType(
    {
        "silent": _silent,
        "delayed": _delayed,
        "duplicated": _duplicated,
        "reordered": _reordered,
        "wrong_size": _wrong_size,
        "wrong_names": _wrong_names,
        "clock_ahead": _clock(JUMP),
        "clock_back": _clock(-JUMP),
        "jumped": _jump,
        "mirrored": _mirrored,
        "wrapped": _wrapped,
        "sagging": _sagging,
        "wild": _wild,
    }
)

_FROM_LAST: Mapping[str, Callable[[Any], Disturbance]] = MappingProxyType(
    {"frozen": _frozen, "stuck": _stuck}
)

KINDS: Sequence[str] = (*VALUES, *_FROM_LAST, *_MAKERS)
