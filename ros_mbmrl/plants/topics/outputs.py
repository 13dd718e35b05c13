"""Writer: commands as messages of any type, each in the field that the robot's file names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ros_mbmrl.data.message_types import element_of, fields_of, full_type
from ros_mbmrl.data.numeric_fields import NAMES
from ros_mbmrl.robots.described.sources import Field, Sink
from ros_mbmrl.topics import message_class

BODY = "base_link"  # frame of a twist
TRAJECTORY = "trajectory_msgs/msg/JointTrajectory"


class Writer:
    """Maker of one robot's command messages.

    Joints are named in the order of the commands. Numbers of an array that no command sets are 0.

    Args:
        kind: type of the messages.
        sinks: of the commands in order, with fields of this type.
        period: time in which a trajectory's point is reached [s].
    """

    def __init__(self, kind: str, sinks: Sequence[Sink], period: float) -> None:
        self._kind, self._class, self._sinks = kind, message_class(kind), sinks
        self._joints = list(dict.fromkeys(s.field.joint for s in sinks if s.field.joint))
        self._ways = [_indexed(sink.field, self._joints) for sink in sinks]
        self._period = period

    def write(self, values: Sequence[float], stamp: Any) -> Any:
        """Return the message of the commands' values, in order.

        Args:
            values: in the commands' units.
            stamp: for the header, if there is one.
        """
        message = self._class()
        header = getattr(message, "header", None)
        # A trajectory without a stamp begins when it comes, whatever the robot's clock says.
        if header is not None and self._kind != TRAJECTORY:
            header.stamp, header.frame_id = stamp, BODY
        if self._joints:
            name = next(each for each in NAMES if hasattr(message, each))
            setattr(message, name, self._joints)
        arrays: dict[tuple[str | int, ...], dict[int, float]] = {}
        for way, sink, value in zip(self._ways, self._sinks, values, strict=True):
            number = float(value) / sink.scale
            *inner, last = way
            if isinstance(last, int):
                arrays.setdefault(tuple(inner), {})[last] = number
            else:
                owner = self._walked(message, inner)
                setattr(owner, last, _typed(number, fields_of(_type_of(owner))[last]))
        for place, numbers in arrays.items():
            self._put_array(message, place, numbers)
        return message

    def _put_array(
        self, message: Any, place: tuple[str | int, ...], numbers: Mapping[int, float]
    ) -> None:
        *inner, name = place
        owner = self._walked(message, inner)
        kind, count = element_of(fields_of(_type_of(owner))[str(name)])
        length = count if count is not None else max(numbers) + 1
        whole = [_typed(numbers.get(k, 0.0), kind) for k in range(length)]
        setattr(owner, str(name), whole)

    def _walked(self, message: Any, way: Sequence[str | int]) -> Any:
        """Return the part of a message that a way leads to; arrays on it grow as needed."""
        at, waiting = message, list(way)
        while waiting:
            name = str(waiting.pop(0))
            if waiting and isinstance(waiting[0], int):
                at = self._element(at, name, int(waiting.pop(0)))
            else:
                at = getattr(at, name)
        return at

    def _element(self, owner: Any, name: str, index: int) -> Any:
        kind = full_type(element_of(fields_of(_type_of(owner))[name])[0])
        array = list(getattr(owner, name))
        while len(array) <= index:
            array.append(message_class(kind)())
            if hasattr(array[-1], "time_from_start"):
                nanoseconds = round(self._period * len(array) * 1e9)
                time = array[-1].time_from_start
                time.sec, time.nanosec = divmod(nanoseconds, 10**9)
        setattr(owner, name, array)
        return array[index]


def _indexed(path: Field, joints: Sequence[str]) -> tuple[str | int, ...]:
    return (*path.way, joints.index(path.joint)) if path.joint else path.way


def _type_of(message: Any) -> str:
    """Return the type of a message: its class is in `package.msg._type`."""
    cls = type(message)
    return f"{cls.__module__.split('.')[0]}/msg/{cls.__name__}"


def _typed(value: float, kind: str) -> float | int | bool:
    if kind in ("double", "float"):
        return value
    return value != 0 if kind == "boolean" else round(value)
