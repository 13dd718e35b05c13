"""Check of a robot's file against the types of its messages; mistakes are told with their lines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ros_mbmrl.data.message_types import UnknownType, fields_of, number_type
from ros_mbmrl.robots.described.description import Description
from ros_mbmrl.robots.described.marked import Marked
from ros_mbmrl.robots.described.quantities import TRANSFORMS, VECTORS
from ros_mbmrl.robots.described.sources import TWIST, TWISTS, Field, RobotTopic
from ros_mbmrl.topics import TOPICS

# Units that ROS has fixed, by a part of a field's path and what its type or path must hold.
FIXED: tuple[tuple[str, str, str], ...] = (
    ("linear_acceleration", "", "m/s^2"),
    ("angular_velocity", "", "rad/s"),
    ("linear", "twist", "m/s"),
    ("angular", "twist", "rad/s"),
    ("position.", "", "m"),
    ("voltage", "BatteryState", "V"),
)


def check_topics(description: Description) -> None:
    """Refuse what the types of the messages do not have.

    Raises:
        UserError: an unknown type or field, a unit that is not the field's, a topic that stands
            twice or is the graph's own, or an array with a gap.
    """
    whole = Marked.parse(description.text, str(description.file))
    _check_names(description, whole)
    for name, topic, path, unit, marked in _uses(description, whole):
        for kind in topic.types:
            own = inside(path, kind, topic)
            try:
                number_type(own, kind)
            except UnknownType as error:
                raise _at(whole, "topics", _alias(description, topic), "type").error(
                    str(error)
                ) from None
            except ValueError as error:
                raise marked.error(str(error)) from None
        _check_unit(name, path, topic, unit, marked)
    _check_gaps(description, whole)


def inside(path: Field, kind: str, topic: RobotTopic) -> Field:
    """Return a command's field in messages of one of the types of its topic."""
    stamped = topic.type == TWIST and kind == TWISTS[1]
    return Field(("twist", *path.way), path.joint) if stamped else path


def _check_names(description: Description, whole: Marked) -> None:
    """Refuse topics that stand twice, or that are the graph's own."""
    seen: dict[str, str] = {}
    ours = {each.name for each in TOPICS}
    space = f"/{description.name}/"
    for alias, topic in description.topics.items():
        place = _at(whole, "topics", alias, "name")
        if topic.name in seen:
            raise place.error(f"'{topic.name}' is '{seen[topic.name]}' as well: expected one name")
        seen[topic.name] = alias
        if topic.name.removeprefix(space) in ours:
            raise place.error(f"'{topic.name}' is the graph's own: expected the robot's")
        if topic.type not in (TWIST, TRANSFORMS):
            try:
                fields_of(topic.type)
            except UnknownType as error:
                raise _at(whole, "topics", alias, "type").error(str(error)) from None
    heard = {source.topic for source in description.sources.values()}
    if description.command_topic in heard:
        told = "it is measured as well: expected a topic that only commands go to"
        raise _at(whole, "commands", "topic").error(told)


def _uses(
    description: Description, whole: Marked
) -> Iterator[tuple[str, RobotTopic, Field, str, Marked]]:
    """Yield each number's name, topic, field, unit where no factor changes it, and place."""
    units = {each.name: each.unit for each in description.scalars}
    for name, source in description.sources.items():
        topic = description.topics[source.topic]
        if topic.type != TRANSFORMS:
            unit = units.get(name, "") if source.scale == 1.0 else ""
            yield name, topic, source.field, unit, _measured_place(whole, name)
    for limit in description.action:
        if limit.name in description.sinks:
            sink = description.sinks[limit.name]
            topic = description.topics[description.command_topic]
            unit = limit.unit if sink.scale == 1.0 and not sink.integrates else ""
            place = _at(whole, "commands", "values", limit.name, "field")
            yield limit.name, topic, sink.field, unit, place


def _check_unit(name: str, path: Field, topic: RobotTopic, unit: str, marked: Marked) -> None:
    """Refuse a unit that is not the one that ROS has fixed for a field."""
    text = str(path)
    for part, holds, fixed in FIXED:
        known = holds.lower() in topic.type.lower() or holds in path.way
        if part in f"{text}." and known and unit and unit != fixed:
            raise marked.error(f"'{name}' is in {unit}, but {text} of {topic.type} is in {fixed}")
        if part in f"{text}." and known:
            return


def _check_gaps(description: Description, whole: Marked) -> None:
    """Refuse an array of commands of which no command sets an element before the last one."""
    places: dict[tuple[str | int, ...], set[int]] = {}
    for sink in description.sinks.values():
        *inner, last = sink.field.way
        if isinstance(last, int):
            places.setdefault(tuple(inner), set()).add(last)
    for way, found in places.items():
        missing = sorted(set(range(max(found) + 1)) - found)
        if missing:
            told = f"{Field((*way, missing[0]))} is set by no command: expected one"
            raise _at(whole, "commands", "values").error(told)


def _measured_place(whole: Marked, name: str) -> Marked:
    """Return where the file says where a number comes from."""
    found = whole.items()
    measured = found["measured"].items() if "measured" in found else {}
    vector = name.rpartition("_")[0]
    if name in measured:
        return _at(measured[name], "source")
    if vector in VECTORS and vector in measured:
        return measured[vector]
    if "pose" in measured and name in ("x", "y", "z", "yaw", "qw", "qx", "qy", "qz"):
        return _at(measured["pose"], name)
    return found.get("joints", whole)


def _at(marked: Marked, *keys: str) -> Marked:
    """Return a value inside, as far as the keys lead."""
    for key in keys:
        if isinstance(marked.value, Mapping) and key in marked.value:
            marked = marked.value[key]
    return marked


def _alias(description: Description, topic: RobotTopic) -> str:
    return next(alias for alias, each in description.topics.items() if each is topic)
