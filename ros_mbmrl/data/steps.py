"""Control steps of a recording, and the topics that they are read from."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ros_mbmrl.data.recording import RecordingInfo, read_messages
from ros_mbmrl.errors import UserError
from ros_mbmrl.robots import ROBOTS
from ros_mbmrl.robots.channels import channel
from ros_mbmrl.robots.described.known import adopt_text
from ros_mbmrl.robots.spec import Array
from ros_mbmrl.topics import ROBOT_FILE

NANO = 1_000_000_000
SAFE, PROPOSED, MEASURED = "command/safe", "command/proposed", "sensor_time"
REFERENCE, EPISODE, DIAGNOSTICS = "reference", "episode", "/diagnostics"


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
        given: the plant's last command in the interval (da,), if the driver told that it was not
            `command`: late, or limited after a stop of its own.
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
    given: Array | None = None
    offset: float = math.nan
    delay: float = math.nan
    planned_delay: float = 0.0
    episode: int | None = None
    reference: int = 0

    @property
    def time(self) -> float:
        """Return the time on the plant's clock [s]."""
        return self.stamp / NANO

    @property
    def limited(self) -> bool:
        """Return whether the driver gave the plant less than `command`."""
        return self.given is not None and not self.late


@dataclass(frozen=True)
class Episode:
    """A kept or discarded stretch of teleoperation. tags: terrain and the like."""

    index: str
    tags: Mapping[str, str]
    discarded: bool = False


@dataclass(frozen=True)
class Change:
    """Settings of the controller that were changed while it ran.

    Args:
        clock, stamp: see `Step`; of the first state that was answered with them.
        values: by the parameter's name.
    """

    clock: int
    stamp: int
    values: Mapping[str, float | int]


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
        changes: of the controller's settings, in the order in which they acted.
    """

    path: Path
    robot: str
    steps: tuple[Step, ...]
    partial: int
    episodes: tuple[Episode, ...] | None
    references: tuple[Array, ...]
    info: RecordingInfo
    changes: tuple[Change, ...] = ()

    @property
    def begin(self) -> float:
        """Return when the robot was first commanded to move [s]; else at all; inf if never."""
        told = [step for step in self.steps if step.command is not None]
        moves = [step.time for step in told if step.command is not None and step.command.any()]
        return min(moves or [step.time for step in told], default=math.inf)

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
    names = sorted(spaces & set(ROBOTS)) or carried(path, info)
    if len(names) != 1:
        told = f"topics of {', '.join(names)}" if names else "no topic of a known robot"
        raise UserError(
            f"{path}: {told}: expected those of one of {', '.join(sorted(ROBOTS))} "
            "(`mbmrl import bag` makes a recording of others)"
        )
    return names[0]


def carried(path: Path, info: RecordingInfo) -> list[str]:
    """Make the robot known whose file a recording carries; return its name, if there is one.

    Raises:
        UserError: the file is damaged, or known otherwise.
    """
    wanted = [topic for topic in info.topics if topic.endswith(f"/{ROBOT_FILE.name}")]
    for recorded in read_messages(path, wanted) if wanted else ():
        return [adopt_text(recorded.message.data, path)]
    return []


def needed_topics(channels: Iterable[str]) -> tuple[str, ...]:
    """Return the topics that a recording must contain to be usable.

    Args:
        channels: where the robot's measurements are, as `RobotSpec.channels`.
    """
    return (*state_topics(channels), SAFE)


def state_topics(channels: Iterable[str]) -> tuple[str, ...]:
    """Return the topics of the measurements on `channels`."""
    return tuple(dict.fromkeys(channel(where).topic for where in channels))


def task_of(line: Any) -> str:
    """Return `driver: timing` of a line of diagnostics that is called `hexapod/driver: timing`.

    Until version 0.1 names came without the graph's namespace, which is the `hardware_id`.
    """
    name: str = line.name
    return name.removeprefix(f"{line.hardware_id}/")


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
