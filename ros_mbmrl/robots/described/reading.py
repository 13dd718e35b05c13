"""Reading of a robot's file into its description; every mistake is told with its line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from ros_mbmrl.errors import UserError
from ros_mbmrl.robots.described.commands import Commands, read_commands
from ros_mbmrl.robots.described.description import (
    FLOATING,
    KINDS,
    PLANAR,
    Description,
)
from ros_mbmrl.robots.described.marked import Marked
from ros_mbmrl.robots.described.quantities import Measured, read_measured
from ros_mbmrl.robots.described.sources import TWIST, TYPE, RobotTopic
from ros_mbmrl.robots.described.task_reading import read_tasks
from ros_mbmrl.robots.quantities import Limit
from ros_mbmrl.robots.spec import Envelope, LiveSensor
from ros_mbmrl.untrusted import YAML_LIMIT, read_bytes

KEYS = (
    *("name", "kind", "period", "topics", "measured", "joints", "commands", "tasks"),
    *("envelope", "safety", "weights", "fail_together", "planner", "method", "twin"),
)
NAME = re.compile(r"[a-z][a-z0-9_]*")
LONGEST_PERIOD = 10.0  # [s]
FRESH = 2.5  # periods after which a state or a command is stale, unless the file says otherwise
MODEL_ERROR = 25.0


def read_description(path: Path) -> Description:
    """Read the file of a robot.

    Raises:
        UserError: it cannot be read, or something in it is wrong: one line, with file and line.
    """
    try:
        text = read_bytes(path, YAML_LIMIT).decode()
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not UTF-8 ({error})") from None
    return parse_description(text, path)


def parse_description(text: str, path: Path) -> Description:
    """Parse the text of a robot's file; `path` is where it is from. Raises UserError."""
    whole = Marked.parse(text, str(path))
    found = whole.among(KEYS, needed=("name", "kind", "period", "commands"))
    name = found["name"].text()
    if not NAME.fullmatch(name):
        raise found["name"].wrong("small letters, digits and _, a letter first")
    kind = found["kind"].choice(KINDS)
    period = found["period"].positive()
    if period > LONGEST_PERIOD:
        raise found["period"].wrong(f"at most {LONGEST_PERIOD:g} s")
    topics = _topics(found.get("topics"))
    measured = read_measured(kind, found.get("measured"), found.get("joints"), topics, whole)
    commands = read_commands(found["commands"], topics, measured)
    names = measured.states
    return Description(
        name=name,
        kind=kind,
        period=period,
        topics=topics,
        pose=measured.pose,
        joints=measured.joints,
        scalars=measured.scalars,
        sources=measured.sources,
        transforms=measured.transforms,
        action=commands.limits,
        command_topic=commands.topic,
        sinks=commands.sinks,
        drives=_drives(kind, commands),
        tasks=read_tasks(found.get("tasks"), kind, names, commands.limits),
        envelope=_envelope(found.get("envelope"), period, names, commands.limits),
        safety=_plain(found.get("safety")),
        weights=_weights(found.get("weights"), measured),
        fail_together=_groups(found.get("fail_together"), commands.limits),
        planner=found["planner"].text() if "planner" in found else "",
        method=found["method"].text() if "method" in found else "",
        twin=found.get("twin"),
        file=path,
        text=text,
    )


def _topics(marked: Marked | None) -> dict[str, RobotTopic]:
    topics: dict[str, RobotTopic] = {}
    for alias, each in ({} if marked is None else marked.items()).items():
        keys = tuple(one.name for one in fields(RobotTopic))
        known = each.among(keys, needed=("name", "type"))
        kind = known["type"].text()
        if kind != TWIST and not TYPE.fullmatch(kind):
            raise known["type"].wrong("a message type such as nav_msgs/msg/Odometry")
        topics[alias] = RobotTopic(
            name=known["name"].text(),
            type=kind,
            reliable=known["reliable"].flag() if "reliable" in known else None,
            stamped="stamped" not in known or known["stamped"].flag(),
            timeout=known["timeout"].positive() if "timeout" in known else None,
        )
    return topics


def _drives(kind: str, commands: Commands) -> tuple[str, str]:
    """Return the commands that move a base ahead and turn it: by their fields, or their names."""
    if kind not in (PLANAR, FLOATING):
        return "", ""
    found = []
    for field, names in (("linear.x", ("speed", "forward")), ("angular.z", ("yaw_rate", "turn"))):
        by_field = [n for n, sink in commands.sinks.items() if str(sink.field).endswith(field)]
        by_name = [limit.name for limit in commands.limits if limit.name in names]
        found.append((*by_field, *by_name, "")[0])
    return found[0], found[1]


def _envelope(
    marked: Marked | None, period: float, states: tuple[str, ...], limits: tuple[Limit, ...]
) -> Envelope:
    known = {} if marked is None else marked.among([each.name for each in fields(Envelope)])
    values: dict[str, Any] = {
        "state_timeout": FRESH * period,
        "command_timeout": FRESH * period,
        "max_model_error": MODEL_ERROR,
    }
    for key, each in known.items():
        if key == "arena":
            values[key] = _arena(each)
        elif key in ("state_limits", "state_range"):
            values[key] = {n: span.span() for n, span in each.among(states).items()}
        elif key == "live_sensors":
            values[key] = tuple(_live(one, states, limits) for one in each.several())
        else:
            values[key] = each.number(low=0.0)
        if key in ("state_timeout", "command_timeout") and values[key] <= period:
            raise each.wrong(f"more than a period, {period:g} s")
    try:
        return Envelope(**values)
    except ValueError as error:
        assert marked is not None
        raise marked.error(str(error)) from None


def _arena(marked: Marked) -> tuple[float, float, float, float]:
    numbers = [each.number() for each in marked.several()]
    if len(numbers) != 4 or not (numbers[0] < numbers[1] and numbers[2] < numbers[3]):
        raise marked.wrong("[x_low, x_high, y_low, y_high] with each low below its high")
    return numbers[0], numbers[1], numbers[2], numbers[3]


def _live(marked: Marked, states: tuple[str, ...], limits: tuple[Limit, ...]) -> LiveSensor:
    found = marked.among(("states", "driven_by"), needed=("states",))
    commands = [limit.name for limit in limits]
    driven = found["driven_by"].several() if "driven_by" in found else []
    own = tuple(each.choice(states) for each in found["states"].several(least=1))
    return LiveSensor(own, tuple(each.choice(commands) for each in driven))


def _plain(marked: Marked | None) -> dict[str, float]:
    return {} if marked is None else {n: each.number() for n, each in marked.items().items()}


def _weights(marked: Marked | None, measured: Measured) -> dict[str, float]:
    found = {} if marked is None else marked.among(measured.changes)
    return {name: each.positive() for name, each in found.items()}


def _groups(marked: Marked | None, limits: tuple[Limit, ...]) -> Mapping[str, tuple[str, ...]]:
    names, groups, taken = [limit.name for limit in limits], {}, set[str]()
    for group, each in ({} if marked is None else marked.items()).items():
        members = each.several(least=1)
        for member in members:
            if member.choice(names) in taken:
                raise member.wrong("a command that is in no other group")
            taken.add(member.value)
        groups[group] = tuple(member.value for member in members)
    return groups
