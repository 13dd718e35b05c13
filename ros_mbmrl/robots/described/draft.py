"""Draft: a robot's file to begin with, with a comment at everything that a person must look at."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from ros_mbmrl.robots.described.description import FLOATING, PLANAR

_PLAIN = re.compile(r"[A-Za-z_/][\w/.]*")
_WORDS = ("true", "false", "yes", "no", "on", "off", "null", "y", "n")  # not texts in YAML


@dataclass(frozen=True)
class DraftTopic:
    """A topic: its name in the file, its own name, its type, a remark, its time-out [s]."""

    alias: str
    name: str
    type: str
    note: str = ""
    timeout: float | None = None


@dataclass(frozen=True)
class DraftCommand:
    """A command. See `Sink` and `Limit`."""

    name: str
    unit: str
    low: float
    high: float
    field: str = ""
    integrates: str = ""
    note: str = ""


@dataclass(frozen=True)
class Draft:
    """Content of a file.

    Args:
        name, kind, period: of the robot.
        origin: where it comes from, for the first line.
        topics: in order; the commands' is called `command`.
        measured: texts by name, as they stand in the file.
        joints: names.
        joint_topic: their topic, by its name in the file; empty: the twin has them.
        endless: joints that turn without end.
        velocity: see the section `joints`.
        unit: of the joints' positions.
        commands: in order.
        command: name of the commands' topic in the file; empty: the twin has them.
        limits: of states.
        fastest: speed [m/s] and turn rate [rad/s] that its pose cannot exceed; 0: not known.
        live: states whose numbers never repeat exactly.
        tasks: lines of the section.
        twin: lines of the section.
    """

    name: str
    kind: str
    period: float
    origin: str = ""
    topics: tuple[DraftTopic, ...] = ()
    measured: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    joints: tuple[str, ...] = ()
    joint_topic: str = ""
    endless: tuple[str, ...] = ()
    velocity: str = "measured"
    unit: str = "rad"
    commands: tuple[DraftCommand, ...] = ()
    command: str = ""
    limits: Mapping[str, tuple[float, float]] = field(default_factory=lambda: MappingProxyType({}))
    fastest: tuple[float, float] = (0.0, 0.0)
    live: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    twin: tuple[str, ...] = ()


def text_of(draft: Draft) -> str:
    """Return the text of a draft's file."""
    sections = (_head, _topics, _measured, _joints, _commands, _tasks, _envelope, _twin)
    parts = ["\n".join(section(draft)) for section in sections]
    return "\n\n".join(part for part in parts if part) + "\n"


def quoted(text: str) -> str:
    """Return a text as a scalar of YAML."""
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    return json.dumps(text, ensure_ascii=False)


def number(value: float) -> str:
    """Return a number as YAML, with up to 4 digits."""
    return f"{value:.4g}"


def _head(draft: Draft) -> Iterator[str]:
    if draft.origin:
        yield f"# {draft.origin}"
    yield f"# Every key: docs/yaml-robot.md. Check it: mbmrl check robot {draft.name}.yaml"
    yield f"name: {draft.name}  # its topics in our graph are /{draft.name}/..."
    yield f"kind: {draft.kind}"
    yield f"period: {number(draft.period)}  # [s] between two commands"


def _topics(draft: Draft) -> Iterator[str]:
    if not draft.topics:
        return
    yield "# The robot's own topics."
    yield "topics:"
    for each in draft.topics:
        note = f"  # {each.note}" if each.note else ""
        more = "" if each.timeout is None else f", timeout: {number(each.timeout)}"
        yield f"  {each.alias}: {{name: {quoted(each.name)}, type: {each.type}{more}}}{note}"


def _measured(draft: Draft) -> Iterator[str]:
    if not draft.measured:
        return
    yield "# Where each number is: TOPIC.path.into.the.message."
    yield "measured:"
    for name, text in draft.measured.items():
        yield f"  {name}: {text}"


def _joints(draft: Draft) -> Iterator[str]:
    if not draft.joints:
        return
    yield "# Each joint is a position, and a velocity called NAME_velocity."
    yield "joints:"
    if draft.joint_topic:
        yield f"  topic: {draft.joint_topic}"
    yield f"  names: {_list(draft.joints)}"
    if draft.endless:
        yield f"  endless: {_list(draft.endless)}  # whole turns do not matter"
    if draft.unit != "rad":
        yield f"  unit: {draft.unit}"
    if draft.velocity != "measured":
        yield f"  velocity: {draft.velocity}  # it is not in the messages"


def _commands(draft: Draft) -> Iterator[str]:
    yield "# The plan's commands. LOOK AT THE LIMITS: nothing larger is ever sent."
    yield "commands:"
    if draft.command:
        yield f"  topic: {draft.command}"
    yield "  values:"
    for each in draft.commands:
        parts = [f"field: {quoted(each.field)}"] if each.field else []
        parts += [f"unit: {each.unit}", f"low: {number(each.low)}", f"high: {number(each.high)}"]
        parts += [f"integrates: {each.integrates}"] if each.integrates else []
        note = f"  # {each.note}" if each.note else ""
        yield f"    {each.name}: {{{', '.join(parts)}}}{note}"


def _tasks(draft: Draft) -> Iterator[str]:
    if draft.tasks:
        yield "# What it is told to do: a goal, or a cost as a formula of states and commands."
        yield "tasks:"
        yield from (f"  {line}" for line in draft.tasks)
    elif draft.kind in (PLANAR, FLOATING):
        yield "# Without tasks it follows paths: straight, left, zigzag, figure8."


def _envelope(draft: Draft) -> Iterator[str]:
    base = draft.kind in (PLANAR, FLOATING)
    if not base and not draft.limits:
        return
    yield "# Outside of it the safety node stops the robot, or turns it back."
    yield "envelope:"
    if base:
        yield "  arena: [-3, 3, -3, 3]  # [m] x and y in the map: LOOK AT IT"
        yield "  margin: 0.3"
    for key, fastest in zip(("max_speed", "max_turn_rate"), draft.fastest, strict=True):
        if fastest:
            yield f"  {key}: {number(fastest)}  # twice as in the bag: more is a leap"
    if draft.live:
        states = f"states: {_list(draft.live)}"
        yield f"  live_sensors: [{{{states}}}]  # never repeated in the bag: frozen if they do"
    if draft.limits:
        yield "  state_limits:"
        for name, (low, high) in draft.limits.items():
            yield f"    {name}: [{number(low)}, {number(high)}]"


def _twin(draft: Draft) -> Iterator[str]:
    if draft.twin:
        yield "# Its simulation."
        yield "twin:"
        yield from (f"  {line}" for line in draft.twin)


def _list(names: Sequence[str]) -> str:
    return f"[{', '.join(map(quoted, names))}]"


def goal(task: str, names: Sequence[str], limits: Mapping[str, tuple[float, float]]) -> str:
    """Return the line of a task: a goal in the middle of the limits, or at 0 without."""
    middle = {name: sum(limits.get(name, (0.0, 0.0))) / 2 for name in names}
    return f"{task}: {{goal: {{{', '.join(f'{n}: {number(v)}' for n, v in middle.items())}}}}}"


def identifier(text: str) -> str:
    """Return a name of letters, digits and _ for any text."""
    name = re.sub(r"\W+", "_", text.strip(), flags=re.ASCII).strip("_").lower() or "x"
    return f"j{name}" if name[0].isdigit() else name
