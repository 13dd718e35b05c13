"""Reader of recordings: joins messages of equal stamps into control steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ros_mbmrl.data.recording import Recorded, RecordingInfo, read_messages, recording_info
from ros_mbmrl.data.steps import (
    DIAGNOSTICS,
    EPISODE,
    MEASURED,
    NANO,
    PROPOSED,
    REFERENCE,
    SAFE,
    Change,
    Episode,
    Run,
    Step,
    named,
    needed_topics,
    robot_of,
    state_topics,
    task_of,
)
from ros_mbmrl.errors import UserError, choose
from ros_mbmrl.robots import ROBOTS, make_robot
from ros_mbmrl.robots.channels import MAP_VELOCITY, channel, recorded_channels
from ros_mbmrl.robots.spec import Array, Robot

DRIVER, CONTROLLER, TUNING = "driver: timing", "controller: timing", "controller: tuning"


def read_run(path: Path, robot: str | None = None) -> Run:
    """Read a recording. robot: its name, if the topics do not show it.

    Raises UserError for a file that is not a recording or lacks a needed topic.
    """
    info = recording_info(path)
    if robot is not None:
        choose("robot", robot, ROBOTS)
    name = robot or robot_of(path, info)
    known = make_robot(name)
    channels = recorded_channels(known.spec.channels, named(name, info, [MAP_VELOCITY]).values())
    needed = needed_topics(channels)
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
    reader = Reader(known, path, safe.removesuffix(SAFE).strip("/") or name, channels)
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
    """The parts of a step that have been read: state by topic, and fields of `Step` by name."""

    logged: int
    messages: dict[str, Any] = field(default_factory=dict)
    fields: dict[str, Any] = field(default_factory=dict)


class Reader:
    """Reader that joins messages, in the order of the file, into steps.

    State topics with equal stamps belong together, and so do their answers. A stamp more than a
    second below the newest shows that the plant's clock restarted. Of several commands for one step
    the newest counts, because it acted in the end. A step that was sent again counts once. owner:
    `hardware_id` of the graph's diagnostics, because other robots may publish on the same topic.
    channels: where each measured number is, in order; by default as the robot publishes them.
    """

    def __init__(self, robot: Robot, path: Path, owner: str, channels: Sequence[str] = ()) -> None:
        self._spec, self._path, self._owner = robot.spec, path, owner
        channels = channels or robot.spec.channels
        self._channels = [channel(where) for where in channels]
        self._states = state_topics(channels)
        self._parts: dict[tuple[int, int], _Parts] = {}
        self._last: dict[str, int] = {}  # stamp of each state topic [ns]
        self._clock, self._newest = 0, -1
        self._references: list[Array] = []
        self._episodes: list[Episode] | None = None
        self._open: int | None = None
        self._changes: list[Change] = []

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
            changes=tuple(self._changes),
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
            **parts.fields,
        )

    def _part(self, stamp: int, logged: int) -> _Parts:
        return self._parts.setdefault((self._clock, stamp), _Parts(logged))

    def _on_state(self, topic: str, message: Any, logged: int) -> None:
        stamp = _stamp(message.header)
        # Its own stamps fell back, too: a message that was lost and sent again comes late, in
        # lockstep by seconds of stamps.
        last, self._last[topic] = self._last.get(topic, -1), stamp
        if stamp < min(self._newest, last) - NANO:
            self._clock, self._newest = self._clock + 1, stamp
        self._newest = max(self._newest, stamp)
        parts = self._part(stamp, logged)
        if not parts.messages:
            parts.logged = logged
        if topic not in parts.messages:
            parts.messages[topic], parts.fields["episode"] = message, self._open

    def _on_command(self, topic: str, message: Any, parts: _Parts) -> None:
        names = [limit.name for limit in self._spec.action]
        values = getattr(message, self._spec.command_field)
        if topic == PROPOSED:
            parts.fields |= {"planned": True, "reference": len(self._references)}
            if not message.name:  # the planner found no finite plan
                return
        if sorted(message.name) != sorted(names) or len(values) != len(names):
            raise UserError(
                f"{self._path}: {topic} names {list(message.name)}, expected {names} with one "
                f"{self._spec.command_field} each"
            )
        given = dict(zip(message.name, values, strict=True))
        kind = "command" if topic == SAFE else "proposed"
        parts.fields[kind] = np.array([given[name] for name in names], dtype=np.float64)

    def _on_diagnostics(self, message: Any, logged: int) -> None:
        for line in message.status:
            name = task_of(line)
            if line.hardware_id != self._owner:
                continue
            values = {pair.key: pair.value for pair in line.values}
            if name == TUNING:
                numbers = {key: _number(text) for key, text in values.items()}
                self._changes.append(Change(self._clock, _stamp(message.header), numbers))
            if name not in (DRIVER, CONTROLLER):
                continue
            parts = self._part(_stamp(message.header), logged)
            if name == DRIVER:
                other = "1" in (values.get("missed"), values.get("limited"))
                parts.fields |= {
                    "late": values.get("missed") == "1",
                    "given": self._given(values) if other else None,
                    "offset": float(values.get("offset_s", "nan")),
                    "delay": float(values.get("delay_s", "nan")),
                }
            else:
                parts.fields["planned_delay"] = float(values.get("delay_s", "0"))

    def _given(self, values: dict[str, str]) -> Array | None:
        """Return the command (da,) that the plant was given last; None in older recordings."""
        numbers = values.get("commanded", "").strip("()").split(",")
        given = np.array([float(number) for number in numbers if number.strip()])
        return given if len(given) == len(self._spec.action) else None

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


def _number(text: str) -> float | int:
    try:
        return int(text)
    except ValueError:
        return float(text)


def _stamp(header: Any) -> int:
    return _nanoseconds(header.stamp)


def _nanoseconds(stamp: Any) -> int:
    return int(stamp.sec) * NANO + int(stamp.nanosec)
