"""The control steps of a recording: measurements, proposals and commands joined by stamp."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ros_mbmrl.data.recording import Recorded, RecordingInfo, read_messages, recording_info
from ros_mbmrl.errors import UserError, choose
from ros_mbmrl.robots import ROBOTS, make_robot
from ros_mbmrl.robots.channels import channel
from ros_mbmrl.robots.spec import Array, Robot, RobotSpec

NANO = 1_000_000_000
SAFE, PROPOSED, MEASURED = "command/safe", "command/proposed", "sensor_time"
REFERENCE, EPISODE, DIAGNOSTICS = "reference", "episode", "/diagnostics"
DRIVER, CONTROLLER = "driver: timing", "controller: timing"


@dataclass(frozen=True)
class Step:
    """One control step.

    Args:
        clock: how often the plant's clock has restarted.
        stamp: on that clock [ns].
        logged: when its first part was recorded [ns].
        measured: when its oldest part was measured, on the plant's clock [ns].
        measurement: (dm,).
        command, proposed: answers to it (da,), if they were recorded.
        planned: whether there was a plan for it, or a failed attempt.
        late: whether the driver had no command when the interval ended.
        offset: when the command reached the driver, after the observation [s]; nan: unknown.
        delay: when the command acted, after the observation [s]; nan: unknown.
        planned_delay: delay that the plan assumed [s].
        episode: index among the run's episodes.
        reference: number of references recorded before the answer.
    """

    clock: int
    stamp: int
    logged: int
    measured: int
    measurement: Array
    command: Array | None = None
    proposed: Array | None = None
    planned: bool = False
    late: bool = False
    offset: float = math.nan
    delay: float = math.nan
    planned_delay: float = 0.0
    episode: int | None = None
    reference: int = 0

    @property
    def time(self) -> float:
        """Return the time on the plant's clock [s]."""
        return self.stamp / NANO


@dataclass(frozen=True)
class Episode:
    """A kept or discarded stretch of teleoperation. tags: terrain and the like."""

    index: str
    tags: Mapping[str, str]
    discarded: bool = False


@dataclass(frozen=True)
class Run:
    """A recorded run, its steps in the order in which they happened.

    Args:
        path: of the recording.
        robot: its name.
        steps: complete ones.
        partial: number of steps with a missing part.
        episodes: None if the recording has none.
        references: points (n, 2) [m] of each path to follow.
        info: content of the file.
    """

    path: Path
    robot: str
    steps: tuple[Step, ...]
    partial: int
    episodes: tuple[Episode, ...] | None
    references: tuple[Array, ...]
    info: RecordingInfo

    @property
    def period(self) -> float:
        """Return the median time between steps [s]; nan for fewer than two."""
        times = [
            after.time - before.time
            for before, after in zip(self.steps[:-1], self.steps[1:], strict=True)
            if after.clock == before.clock
        ]
        return float(np.median(times)) if times else math.nan


def robot_of(path: Path, info: RecordingInfo) -> str:
    """Return a recording's robot, from its topics. Raises UserError if they do not show it."""
    spaces = {topic.split("/")[1] for topic in info.topics if topic.count("/") > 1}
    names = sorted(spaces & set(ROBOTS))
    if len(names) != 1:
        told = f"topics of {', '.join(names)}" if names else "no topic of a known robot"
        raise UserError(f"{path}: {told}: expected those of one of {', '.join(sorted(ROBOTS))}")
    return names[0]


def needed_topics(spec: RobotSpec) -> tuple[str, ...]:
    """Return the topics that a recording must contain to be usable."""
    return (*state_topics(spec), SAFE)


def state_topics(spec: RobotSpec) -> tuple[str, ...]:
    """Return the topics of the robot's measurements."""
    return tuple(dict.fromkeys(channel(where).topic for where in spec.channels))


def named(robot: str, info: RecordingInfo, names: Iterable[str]) -> dict[str, str]:
    """Return topic as recorded -> its name in the graph, for those of `names` that exist."""
    found = {}
    for name in names:
        exact = name if name.startswith("/") else f"/{robot}/{name}"
        ends = [topic for topic in info.topics if topic.endswith(f"/{name.lstrip('/')}")]
        if exact in info.topics:
            found[exact] = name
        elif len(ends) == 1:
            found[ends[0]] = name
    return found


def read_run(path: Path, robot: str | None = None) -> Run:
    """Read a recording. robot: its name, if the topics do not show it.

    Raises UserError for a file that is not a recording or lacks a needed topic.
    """
    info = recording_info(path)
    if robot is not None:
        choose("robot", robot, ROBOTS)
    name = robot or robot_of(path, info)
    known = make_robot(name)
    needed = needed_topics(known.spec)
    wanted = named(name, info, (*needed, PROPOSED, MEASURED, REFERENCE, EPISODE, DIAGNOSTICS))
    # An unreadable needed topic is an error; an unreadable optional one is left out.
    topics = {
        topic: where
        for topic, where in wanted.items()
        if where in needed or not info.topics[topic].encoding
    }
    missing = [topic for topic in needed if topic not in topics.values()]
    if missing:
        raise UserError(
            f"{path}: nothing on {', '.join(missing)}: expected a run of {name}, with "
            f"{', '.join(needed)}"
        )
    safe = next(full for full, graph_name in topics.items() if graph_name == SAFE)
    reader = Reader(known, path, owner=safe.removesuffix(SAFE).strip("/") or name)
    try:
        for recorded in read_messages(path, topics):
            reader.add(topics[recorded.topic], recorded)
        return reader.run(info)
    except UserError:
        raise
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise UserError(f"{path}: not as the graph records it ({error})") from None


@dataclass
class _Parts:
    """The parts of a step that have been read."""

    logged: int
    messages: dict[str, Any] = field(default_factory=dict)
    command: Array | None = None
    proposed: Array | None = None
    planned: bool = False
    late: bool = False
    offset: float = math.nan
    delay: float = math.nan
    planned_delay: float = 0.0
    episode: int | None = None
    reference: int = 0


class Reader:
    """Reader that joins messages, in the order of the file, into steps.

    State topics with equal stamps belong together, and so do their answers. A stamp more than a
    second below the newest shows that the plant's clock restarted. Of several commands for one step
    the newest counts, because it acted in the end. A step that was sent again counts once. owner:
    `hardware_id` of the graph's diagnostics, because other robots may publish on the same topic.
    """

    def __init__(self, robot: Robot, path: Path, owner: str) -> None:
        self._spec, self._path, self._owner = robot.spec, path, owner
        self._channels = [channel(where) for where in robot.spec.channels]
        self._states = state_topics(robot.spec)
        self._parts: dict[tuple[int, int], _Parts] = {}
        self._clock, self._newest = 0, -1
        self._references: list[Array] = []
        self._episodes: list[Episode] | None = None
        self._open: int | None = None

    def add(self, topic: str, recorded: Recorded) -> None:
        """Take in a message of the topic called `topic` in the graph."""
        message = recorded.message
        if topic == EPISODE:
            for line in message.status:
                self._on_episode({pair.key: pair.value for pair in line.values})
        elif topic == REFERENCE:
            points = [(p.pose.position.x, p.pose.position.y) for p in message.poses]
            self._references.append(np.array(points, dtype=np.float64).reshape(-1, 2))
        elif topic == DIAGNOSTICS:
            self._on_diagnostics(message, recorded.log_time_ns)
        elif topic in (SAFE, PROPOSED):
            parts = self._part(_stamp(message.header), recorded.log_time_ns)
            self._on_command(topic, message, parts)
        else:
            self._on_state(topic, message, recorded.log_time_ns)

    def run(self, info: RecordingInfo) -> Run:
        """Return the run. Raises UserError for fewer than two complete steps."""
        whole = [
            (key, parts)
            for key, parts in sorted(self._parts.items())
            if all(topic in parts.messages for topic in self._states)
        ]
        touched = sum(any(t in p.messages for t in self._states) for p in self._parts.values())
        if len(whole) < 2:
            raise UserError(
                f"{self._path}: {len(whole)} steps with all of {', '.join(self._states)}, "
                "expected 2 or more"
            )
        return Run(
            path=self._path,
            robot=self._spec.name,
            steps=tuple(self._step(*key, parts) for key, parts in whole),
            partial=touched - len(whole),
            episodes=None if self._episodes is None else tuple(self._episodes),
            references=tuple(self._references),
            info=info,
        )

    def _step(self, clock: int, stamp: int, parts: _Parts) -> Step:
        messages = parts.messages
        measured = messages.get(MEASURED)
        return Step(
            clock=clock,
            stamp=stamp,
            logged=parts.logged,
            measured=stamp if measured is None else _nanoseconds(measured.time_ref),
            measurement=np.array([c.get(messages[c.topic]) for c in self._channels]),
            command=parts.command,
            proposed=parts.proposed,
            planned=parts.planned,
            late=parts.late,
            offset=parts.offset,
            delay=parts.delay,
            planned_delay=parts.planned_delay,
            episode=parts.episode,
            reference=parts.reference,
        )

    def _part(self, stamp: int, logged: int) -> _Parts:
        return self._parts.setdefault((self._clock, stamp), _Parts(logged))

    def _on_state(self, topic: str, message: Any, logged: int) -> None:
        stamp = _stamp(message.header)
        if stamp < self._newest - NANO:
            self._clock, self._newest = self._clock + 1, stamp
        self._newest = max(self._newest, stamp)
        parts = self._part(stamp, logged)
        if not parts.messages:
            parts.logged = logged
        if topic not in parts.messages:
            parts.messages[topic], parts.episode = message, self._open

    def _on_command(self, topic: str, message: Any, parts: _Parts) -> None:
        names = [limit.name for limit in self._spec.action]
        values = getattr(message, self._spec.command_field)
        if topic == PROPOSED:
            parts.planned, parts.reference = True, len(self._references)
            if not message.name:  # the planner found no finite plan
                return
        if sorted(message.name) != sorted(names) or len(values) != len(names):
            raise UserError(
                f"{self._path}: {topic} names {list(message.name)}, expected {names} with one "
                f"{self._spec.command_field} each"
            )
        given = dict(zip(message.name, values, strict=True))
        action = np.array([given[name] for name in names], dtype=np.float64)
        if topic == SAFE:
            parts.command = action
        else:
            parts.proposed = action

    def _on_diagnostics(self, message: Any, logged: int) -> None:
        for line in message.status:
            if line.name not in (DRIVER, CONTROLLER) or line.hardware_id != self._owner:
                continue
            values = {pair.key: pair.value for pair in line.values}
            parts = self._part(_stamp(message.header), logged)
            if line.name == DRIVER:
                parts.late = values.get("missed") == "1"
                parts.offset = float(values.get("offset_s", "nan"))
                parts.delay = float(values.get("delay_s", "nan"))
            else:
                parts.planned_delay = float(values.get("delay_s", "0"))

    def _on_episode(self, values: dict[str, str]) -> None:
        """Take in a message of an episode, sent when it starts, stops, and is discarded."""
        episodes = self._episodes = self._episodes or []
        event, index = values.pop("event", ""), values.pop("index", "")
        tags = {key: value for key, value in values.items() if value}
        which = [k for k, each in enumerate(episodes) if each.index == index]
        if event == "start":
            if self._open is None or episodes[self._open].index != index:
                episodes.append(Episode(index, tags))
                self._open = len(episodes) - 1
        elif which:
            k = which[-1]
            gone = episodes[k].discarded or event == "discard"
            episodes[k] = Episode(index, {**episodes[k].tags, **tags}, gone)
            self._open = None if self._open == k else self._open


def _stamp(header: Any) -> int:
    return _nanoseconds(header.stamp)


def _nanoseconds(stamp: Any) -> int:
    return int(stamp.sec) * NANO + int(stamp.nanosec)
