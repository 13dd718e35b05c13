"""Reading of a robot's commands: their limits, and where they go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ros_mbmrl.robots.described.description import UNITS
from ros_mbmrl.robots.described.marked import Marked
from ros_mbmrl.robots.described.quantities import Measured
from ros_mbmrl.robots.described.sources import RobotTopic, Sink, parse_field
from ros_mbmrl.robots.quantities import Limit

KEYS = ("field", "unit", "low", "high", "rate", "scale", "integrates")


@dataclass(frozen=True)
class Commands:
    """topic: of all commands, by its name in the file. limits, sinks: of each."""

    topic: str
    limits: tuple[Limit, ...]
    sinks: Mapping[str, Sink]


def read_commands(marked: Marked, topics: Mapping[str, RobotTopic], measured: Measured) -> Commands:
    """Read the section `commands`. Raises UserError."""
    needed = ("topic", "values") if topics else ("values",)
    found = marked.among(("topic", "values"), needed)
    topic = found["topic"].choice(tuple(topics)) if "topic" in found else ""
    limits, sinks, fields = [], {}, dict[str, str]()
    for name, each in found["values"].items().items():
        if not name.isidentifier():
            raise each.error("expected a name of letters, digits and _")
        limits.append(_limit(name, each))
        if not topics:
            continue
        sinks[name] = sink = _sink(each, measured)
        if str(sink.field) in fields:
            raise each.error(f"'{name}' and '{fields[str(sink.field)]}' go to one field")
        fields[str(sink.field)] = name
    if not limits:
        raise found["values"].error("expected a command, got none")
    return Commands(topic, tuple(limits), sinks)


def _limit(name: str, marked: Marked) -> Limit:
    found = marked.among(KEYS, needed=("unit", "low", "high"))
    low, high = found["low"].number(), found["high"].number()
    if not low < high:
        raise found["low"].wrong(f"a number below high, {high:g}")
    if not low <= 0.0 <= high:
        raise found["low"].error(f"expected a range with 0 in it (a robot at rest), got {low:g}")
    # From one end to the other in a tenth of a second, unless the file says otherwise.
    rate = found["rate"].positive() if "rate" in found else 10 * (high - low)
    return Limit(name, found["unit"].choice(UNITS), low, high, rate)


def _sink(marked: Marked, measured: Measured) -> Sink:
    found = marked.among(KEYS, needed=("field",))
    try:
        field = parse_field(found["field"].text())
    except ValueError as error:
        raise found["field"].error(str(error)) from None
    scale = found["scale"].number() if "scale" in found else 1.0
    if scale == 0.0:
        raise found["scale"].wrong("a factor other than 0")
    units = {each.name: each.unit for each in measured.scalars if not each.derived}
    integrates = found["integrates"].choice(tuple(units)) if "integrates" in found else ""
    if integrates and found["unit"].value != f"{units[integrates]}/s":
        raise found["unit"].wrong(f"{units[integrates]}/s, the rate of '{integrates}'")
    return Sink(field, scale, integrates)
