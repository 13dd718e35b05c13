"""A rollout from a recorded run: what the model saw and what the robot was told."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from ros_mbmrl.data.quality import Limits, inspect, spread
from ros_mbmrl.data.recording import read_messages
from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.errors import UserError
from ros_mbmrl.plants.base import Measurement
from ros_mbmrl.robots.channels import channel
from ros_mbmrl.robots.estimator import StateEstimator
from ros_mbmrl.robots.spec import Array, Robot

COMMAND_TOPIC = "command/safe"


def rollout_from_recording(path: Path, robot: Robot) -> Rollout:
    """The rollout of a run: state messages joined by equal stamp, each with its command.

    A step without a command carries the one before on, as the robot does (zero at the start).
    Steps of which a part is missing are left out; the gap they leave is marked. Raises
    UserError for a file that is not a recording or holds fewer than two whole steps.
    """
    channels = [channel(where) for where in robot.spec.channels]
    topics = tuple(dict.fromkeys(each.topic for each in channels))
    steps, commands = _joined(path, robot, topics)
    whole = sorted(stamp for stamp, parts in steps.items() if len(parts) == len(topics))
    if len(whole) < 2:
        raise UserError(
            f"{path}: {len(whole)} steps with all of {', '.join(topics)}, expected 2 or more"
        )
    times = np.array(whole, dtype=np.float64) / 1e9
    measurements = np.array(
        [[each.get(steps[stamp][each.topic]) for each in channels] for stamp in whole]
    )
    estimator = StateEstimator(robot)
    rows = zip(times, measurements, strict=True)
    states = [estimator.update(Measurement(float(time), values)) for time, values in rows]
    return Rollout(
        robot=robot.spec.name,
        states=np.stack(states).astype(np.float32),
        actions=_held(whole[:-1], commands, len(robot.spec.action)),
        times=times,
        marks=spread(
            inspect(measurements, times, times, Limits(period=robot.spec.period)), len(whole) - 1
        ),
        tags=MappingProxyType({"source": "recording", "session": path.stem}),
    )


def _joined(
    path: Path, robot: Robot, topics: tuple[str, ...]
) -> tuple[dict[int, dict[str, Any]], dict[int, Array]]:
    """State messages by stamp [ns] and topic, and the newest command by the stamp it answers."""
    steps: dict[int, dict[str, Any]] = {}
    commands: dict[int, Array] = {}
    names = [limit.name for limit in robot.spec.action]
    for recorded in read_messages(path):
        topic = _local(recorded.topic, topics)
        if topic is None:
            continue
        message = recorded.message
        stamp = message.header.stamp.sec * 1_000_000_000 + message.header.stamp.nanosec
        if topic == COMMAND_TOPIC:
            values = getattr(message, robot.spec.command_field)
            if list(message.name) != names or len(values) != len(names):
                raise UserError(f"{path}: a command names {list(message.name)}, expected {names}")
            commands[stamp] = np.array(values, dtype=np.float64)
        else:
            steps.setdefault(stamp, {})[topic] = message
    return steps, commands


def _local(topic: str, topics: tuple[str, ...]) -> str | None:
    """The topic without the robot's namespace, if it is one of ours."""
    for name in (*topics, COMMAND_TOPIC):
        if topic == name or topic.endswith(f"/{name}"):
            return name
    return None


def _held(stamps: list[int], commands: Mapping[int, Array], size: int) -> Any:
    actions = np.zeros((len(stamps), size), dtype=np.float32)
    current = np.zeros(size)
    for k, stamp in enumerate(stamps):
        current = commands.get(stamp, current)
        actions[k] = current
    return actions
