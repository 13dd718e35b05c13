"""Layout: where a robot's measured numbers and commands are on its own topics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ros_mbmrl.data.measurement_messages import joint_names
from ros_mbmrl.data.steps import SAFE
from ros_mbmrl.robots.channels import channel
from ros_mbmrl.robots.described.description import Description
from ros_mbmrl.robots.described.robot import DescribedRobot
from ros_mbmrl.robots.described.sources import Field
from ros_mbmrl.robots.spec import Robot, RobotSpec
from ros_mbmrl.topics import topic


@dataclass(frozen=True)
class Column:
    """Place of a number on a robot's topics.

    Args:
        name, unit: of the quantity or command.
        topic: with the `/` in front.
        type_name: of its messages.
        field: of the message.
        scale: factor from the message's unit to the quantity's.
        integrates: measured quantity that the command is the rate of, where the message holds a
            position; empty: the message holds the command.
    """

    name: str
    unit: str
    topic: str
    type_name: str
    field: Field
    scale: float = 1.0
    integrates: str = ""


@dataclass(frozen=True)
class Layout:
    """Places of all of a robot's numbers.

    Args:
        robot: its name.
        period: of control [s].
        measured: in the order of `RobotSpec.measurement`.
        commands: in the order of `RobotSpec.action`.
        transforms: frames whose transforms lead to the pose; empty: it is a message's.
    """

    robot: str
    period: float
    measured: tuple[Column, ...]
    commands: tuple[Column, ...]
    transforms: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[Column, ...]:
        """Return all columns, the measured ones first."""
        return (*self.measured, *self.commands)

    @property
    def topics(self) -> tuple[str, ...]:
        """Return the topics that are needed."""
        return tuple(dict.fromkeys(column.topic for column in self.columns))

    @property
    def quaternions(self) -> tuple[tuple[int, ...], ...]:
        """Return the places among `measured` of numbers that are a quaternion together."""
        names = {each.name: k for k, each in enumerate(self.measured)}
        groups = []
        for name in names:
            if name.endswith("w"):
                four = [f"{name[:-1]}{part}" for part in "wxyz"]
                if all(part in names for part in four):
                    groups.append(tuple(names[part] for part in four))
        return tuple(groups)


def layout_of(robot: Robot) -> Layout:
    """Return where a robot's numbers are: on its own topics if its file names any, else ours."""
    if isinstance(robot, DescribedRobot) and robot.description.sources:
        return _described(robot.spec, robot.description)
    return graph_layout(robot.spec)


def graph_layout(spec: RobotSpec) -> Layout:
    """Return where a robot's numbers are in our own recordings."""
    names = {"joint_states": joint_names(spec), "back_emf": [limit.name for limit in spec.action]}
    measured = []
    for quantity, where in zip(spec.measurement, spec.channels, strict=True):
        place = channel(where)
        *way, last = place.way
        field = Field(place.way)
        if place.topic in names and isinstance(last, int):
            field = Field(tuple(way), names[place.topic][last])
        full = f"/{spec.name}/{place.topic}"
        known = topic(place.topic).type
        measured.append(Column(quantity.name, quantity.unit, full, known, field))
    full, known = f"/{spec.name}/{SAFE}", topic(SAFE).type
    commands = [
        Column(limit.name, limit.unit, full, known, Field((spec.command_field,), limit.name))
        for limit in spec.action
    ]
    return Layout(spec.name, spec.period, tuple(measured), tuple(commands))


def _described(spec: RobotSpec, description: Description) -> Layout:
    measured = []
    for quantity in spec.measurement:
        source = description.sources[quantity.name]
        place = description.topics[source.topic]
        full = _full(place.name, spec.name)
        measured.append(
            Column(quantity.name, quantity.unit, full, place.type, source.field, source.scale)
        )
    place, commands = description.topics[description.command_topic], []
    for limit in spec.action:
        sink = description.sinks[limit.name]
        full = _full(place.name, spec.name)
        commands.append(
            Column(
                limit.name, limit.unit, full, place.type, sink.field, sink.scale, sink.integrates
            )
        )
    return Layout(spec.name, spec.period, tuple(measured), tuple(commands), description.transforms)


def _full(name: str, robot: str) -> str:
    """Return a topic's whole name; a relative one is in the robot's namespace."""
    return name if name.startswith("/") else f"/{robot}/{name}"


def columns_of(columns: Sequence[Column], topic_name: str) -> tuple[Column, ...]:
    """Return the columns of a topic."""
    return tuple(column for column in columns if column.topic == topic_name)
