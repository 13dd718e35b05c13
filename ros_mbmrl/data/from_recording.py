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
from ros_mbmrl.errors import UserError, choose
from ros_mbmrl.plants.base import Measurement
from ros_mbmrl.robots.estimator import StateEstimator
from ros_mbmrl.robots.spec import Array, Robot

STATE_TOPICS = ("joint_states", "odom", "imu", "back_emf", "battery")
COMMAND_TOPIC = "command/safe"


def rollout_from_recording(path: Path, robot: Robot) -> Rollout:
    """The rollout of a run: state messages joined by equal stamp, each with its command.

    A step without a command carries the one before on, as the robot does (zero at the start).
    Steps of which a part is missing are left out; the gap they leave is marked. Raises
    UserError for a file that is not a recording or holds fewer than two whole steps.
    """
    choose("robot with recorded sensors", robot.spec.name, ("hexapod",))
    steps, commands = _joined(path, robot)
    whole = sorted(stamp for stamp, parts in steps.items() if len(parts) == len(STATE_TOPICS))
    if len(whole) < 2:
        raise UserError(
            f"{path}: {len(whole)} steps with all of {', '.join(STATE_TOPICS)}, expected 2 or more"
        )
    times = np.array(whole, dtype=np.float64) / 1e9
    measurements = np.stack([hexapod_measurement(steps[stamp]) for stamp in whole])
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


def hexapod_measurement(messages: Mapping[str, Any]) -> Array:
    """Measurement (18,) from the decoded messages of one step, by topic."""
    pose, imu = messages["odom"].pose.pose, messages["imu"]
    position, turn = pose.position, pose.orientation
    rate, acceleration = imu.angular_velocity, imu.linear_acceleration
    return np.array(
        [
            *(position.x, position.y, position.z),
            *(turn.w, turn.x, turn.y, turn.z),
            *(rate.x, rate.y, rate.z),
            *(acceleration.x, acceleration.y, acceleration.z),
            *messages["joint_states"].position[:2],
            *messages["back_emf"].effort[:2],
            messages["battery"].voltage,
        ],
        dtype=np.float64,
    )


def _joined(path: Path, robot: Robot) -> tuple[dict[int, dict[str, Any]], dict[int, Array]]:
    """State messages by stamp [ns] and topic, and the newest command by the stamp it answers."""
    steps: dict[int, dict[str, Any]] = {}
    commands: dict[int, Array] = {}
    names = [limit.name for limit in robot.spec.action]
    for recorded in read_messages(path):
        topic = _local(recorded.topic)
        if topic is None:
            continue
        message = recorded.message
        stamp = message.header.stamp.sec * 1_000_000_000 + message.header.stamp.nanosec
        if topic == COMMAND_TOPIC:
            if list(message.name) != names or len(message.velocity) != len(names):
                raise UserError(f"{path}: a command names {list(message.name)}, expected {names}")
            commands[stamp] = np.array(message.velocity, dtype=np.float64)
        else:
            steps.setdefault(stamp, {})[topic] = message
    return steps, commands


def _local(topic: str) -> str | None:
    """The topic without the robot's namespace, if it is one of ours."""
    for name in (*STATE_TOPICS, COMMAND_TOPIC):
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
