"""Wiring: which of the robot's own topics carry its measurement and its commands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from ros_mbmrl.data.described_topics import inside
from ros_mbmrl.data.message_types import number_type
from ros_mbmrl.errors import UserError
from ros_mbmrl.robots.described.description import Description
from ros_mbmrl.robots.described.sources import Field, RobotTopic, Sink, Source
from ros_mbmrl.robots.spec import RobotSpec
from ros_mbmrl.topics import TOPICS, TRANSFORMS


@dataclass(frozen=True)
class Wiring:
    """Places of a robot's numbers on its own topics.

    Args:
        topics: by name.
        sources: of the measured numbers, by name.
        command: name of the commands' topic.
        sinks: of the commands, by name.
        frames: whose transforms lead to the pose, if its topic carries transforms.
        wraps: measured angles whose whole turns do not matter.
    """

    topics: Mapping[str, RobotTopic]
    sources: Mapping[str, Source]
    command: str
    sinks: Mapping[str, Sink]
    frames: tuple[str, ...] = ()
    wraps: frozenset[str] = field(default_factory=frozenset)

    @property
    def heard(self) -> Mapping[str, RobotTopic]:
        """Return the topics that the measurement comes by."""
        used = {source.topic for source in self.sources.values()}
        return MappingProxyType({n: each for n, each in self.topics.items() if n in used})

    def check(self, spec: RobotSpec) -> None:
        """Refuse a wiring that leaves a number out, or leads to none.

        Raises:
            UserError: a number or a command has no place, or a type or field is unknown.
        """
        for what, wanted, known in (
            ("measured", spec.measurement, self.sources),
            ("commands", spec.action, self.sinks),
        ):
            for each in wanted:
                if each.name not in known:
                    raise UserError(f"{what}: '{each.name}' has no place on a topic")
        for name, source in self.sources.items():
            if not (self.frames and source.field.way[0] == "transform"):
                _checked(name, source.field, self.topics[source.topic].types[0])
        for name, sink in self.sinks.items():
            for kind in self.topics[self.command].types:
                _checked(name, inside(sink.field, kind, self.topics[self.command]), kind)


def wiring_of(description: Description) -> Wiring:
    """Return the wiring of a robot's file."""
    return Wiring(
        topics=description.topics,
        sources=description.sources,
        command=description.command_topic,
        sinks=description.sinks,
        frames=description.transforms,
        wraps=frozenset(each.name for each in description.scalars if each.wraps),
    )


def _checked(name: str, path: Field, kind: str) -> None:
    try:
        number_type(path, kind)
    except ValueError as error:
        raise UserError(f"'{name}': {error}") from None


def graph_topics() -> tuple[str, ...]:
    """Return the names of the graph's own topics, transforms aside: these are everybody's."""
    names = {each.name for each in TRANSFORMS}
    return tuple(each.name for each in TOPICS if each.name not in names)
