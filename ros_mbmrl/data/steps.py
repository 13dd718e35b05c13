"""Control steps of a recording, and the topics that they are read from."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ros_mbmrl.data.recording import RecordingInfo
from ros_mbmrl.errors import UserError
from ros_mbmrl.robots import ROBOTS
from ros_mbmrl.robots.channels import channel
from ros_mbmrl.robots.spec import Array, RobotSpec

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
