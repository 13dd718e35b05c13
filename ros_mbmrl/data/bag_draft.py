"""A robot's draft from a bag: its topics, their types, joints, rates, and the commands' range."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ros_mbmrl.data.bag_motion import base_motion
from ros_mbmrl.data.files import data_in
from ros_mbmrl.data.recording import RecordingInfo, TopicInfo, read_messages, recording_info
from ros_mbmrl.errors import UserError, choose
from ros_mbmrl.robots.described.draft import Draft, DraftTopic
from ros_mbmrl.robots.described.drafts import (
    JOINT_STATE,
    NUMBERS,
    ODOMETRY,
    TRAJECTORY,
    Joint,
    base_draft,
    joints_draft,
)
from ros_mbmrl.robots.described.maps import PlanarPose
from ros_mbmrl.robots.described.sources import TWISTS

POSES = (
    ODOMETRY,
    "geometry_msgs/msg/PoseWithCovarianceStamped",
    "geometry_msgs/msg/PoseStamped",
)
IMU, BATTERY = "sensor_msgs/msg/Imu", "sensor_msgs/msg/BatteryState"
COMMANDS = (TRAJECTORY, NUMBERS)
ROOM = 0.05  # beyond where a joint was [rad], [m]
PERIODS = (0.02, 0.04, 0.05, 0.1, 0.2, 0.5, 1.0)  # [s]
SLOW = 2.0  # [s] between two messages of a battery at most; its topic has a time-out of its own


def bag_draft(
    path: Path,
    name: str,
    period: float | None = None,
    takes: str = "",
    state: str = "",
    command: str = "",
) -> Draft:
    """Return the draft of the robot of a bag.

    A base if there is a pose and a twist as command; else joints.

    Args:
        path: of the bag.
        name: of the robot.
        period: [s]; None: as the slowest of its topics allows.
        takes: what a joint's commands are; empty: as the topic's name says, or velocities.
        state, command: topics that are meant; empty: those that fit, with most messages.

    Raises:
        UserError: it is no bag, or nothing in it that a robot can be made of.
    """
    files = data_in(path)
    if len(files) != 1:
        raise UserError(f"{path}: expected one bag, got {len(files)}")
    path = files[0]
    info = _meant(path, recording_info(path), state, command)
    poses, twists = _of(info, POSES), _of(info, TWISTS)
    states = [n for n in _of(info, (JOINT_STATE,)) if "command" not in n and "goal" not in n]
    if poses and twists:
        draft = _base(path, name, info, poses, twists)
    elif states:
        draft = _joints(path, name, info, states, takes)
    else:
        known = ", ".join(f"{n} ({t.type_name})" for n, t in list(info.topics.items())[:12])
        raise UserError(
            f"{path}: expected a pose and a Twist, or a JointState, got {known or 'no topics'}"
        )
    used = [each.name for each in draft.topics if each.timeout is None and each.name in info.topics]
    chosen = period or _period([info.topics[each] for each in used])
    return replace(draft, period=chosen, origin=f"Draft from the bag {path.name}.")


def _meant(path: Path, info: RecordingInfo, state: str, command: str) -> RecordingInfo:
    """Return the bag's content without the topics of a kind of which another one is meant."""
    for wanted, kinds in ((state, (*POSES, JOINT_STATE)), (command, (*TWISTS, *COMMANDS))):
        if not wanted:
            continue
        fitting = [n for n, topic in info.topics.items() if topic.type_name in kinds]
        choose(f"topic of {path}", wanted, fitting)
        left = {n: t for n, t in info.topics.items() if n == wanted or n not in fitting}
        info = replace(info, topics=left)
    return info


def _of(info: RecordingInfo, kinds: Sequence[str]) -> list[str]:
    """Return the topics of one of the types: by the types' order, then those with most messages."""
    found = [n for n, topic in info.topics.items() if topic.type_name in kinds]
    rank = {name: kinds.index(info.topics[name].type_name) for name in found}
    return sorted(found, key=lambda n: (rank[n], -info.topics[n].messages))


def _base(path: Path, name: str, info: RecordingInfo, poses: list[str], twists: list[str]) -> Draft:
    odom, drive = poses[0], twists[0]
    inside = ("twist",) if info.topics[drive].type_name == TWISTS[1] else ()
    spans = _ranges(path, drive, {"speed": (*inside, "linear", "x"), **_turn(inside)})
    pair = (odom, info.topics[odom].type_name), (drive, info.topics[drive].type_name)
    draft = base_draft(name, odom=pair[0], drive=pair[1], limits=spans)
    others = {0: poses[1:], 1: twists[1:]}
    topics = [
        replace(each, note=f"or {', '.join(others[k])}" if others[k] else "")
        for k, each in enumerate(draft.topics)
    ]
    commands = tuple(replace(each, note="as in the bag") for each in draft.commands)
    measured = dict(draft.measured)
    for alias, kind, own in (
        ("imu", IMU, {"gyro": "imu.angular_velocity", "acceleration": "imu.linear_acceleration"}),
        ("battery", BATTERY, {"battery": "battery.voltage"}),
    ):
        for each in _of(info, (kind,))[:1]:
            slow = 3 * SLOW if kind == BATTERY else None
            topics.append(DraftTopic(alias, each, kind, timeout=slow))
            measured |= own
    motion = base_motion(path, odom)
    return replace(
        draft,
        topics=tuple(topics),
        measured=measured,
        commands=commands,
        fastest=(_out(2 * motion.speed), _out(2 * motion.turn_rate)),
        live=PlanarPose.states if motion.live else (),
    )


def _turn(inside: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    return {"yaw_rate": (*inside, "angular", "z")}


def _joints(path: Path, name: str, info: RecordingInfo, states: list[str], takes: str) -> Draft:
    first = _first(path, states[0])
    names = [str(each) for each in first.name]
    if not names:
        raise UserError(f"{path}: {states[0]} names no joints")
    measured = len(first.velocity) == len(names) and all(map(math.isfinite, first.velocity))
    commands = _of(info, COMMANDS)
    command = ("", "")
    if commands:
        command = commands[0], info.topics[commands[0]].type_name
        names = _ordered(path, command, names)
        takes = takes or next((t for t in ("position", "effort") if t in commands[0]), "")
        takes = takes or ("position" if command[1] == TRAJECTORY else "velocity")
    return joints_draft(
        name,
        _moved(path, states[0], names),
        takes or "velocity",
        states=states[0],
        command=command,
        velocity="measured" if measured else "difference",
    )


def _ordered(path: Path, command: tuple[str, str], names: list[str]) -> list[str]:
    """Return the joints that are commanded, in their order where the message tells it."""
    first = _first(path, command[0])
    if command[1] == TRAJECTORY:
        return [str(each) for each in first.joint_names]
    if len(first.data) > len(names):
        told = f"{command[0]} has {len(first.data)} values for {len(names)} joints"
        raise UserError(f"{path}: {told}: expected one each")
    return names[: len(first.data)]


def _moved(path: Path, topic: str, names: Sequence[str]) -> list[Joint]:
    """Return joints with the range that each was in, and a tenth more; beyond a turn: endless."""
    spans = {name: (math.inf, -math.inf) for name in names}
    for recorded in read_messages(path, [topic]):
        told = dict(zip(recorded.message.name, recorded.message.position, strict=False))
        for name in spans.keys() & told.keys():
            low, high = spans[name]
            spans[name] = min(low, told[name]), max(high, told[name])
    found = []
    for name, (low, high) in spans.items():
        room = max(0.1 * (high - low), ROOM)
        endless = high - low > 2 * math.pi
        known = low <= high and not endless
        found.append(Joint(name, (low - room, high + room) if known else None, endless=endless))
    return found


def _ranges(
    path: Path, topic: str, ways: Mapping[str, tuple[str, ...]]
) -> dict[str, tuple[float, float]]:
    """Return the range of numbers in a topic's messages, widened to two digits, with 0 in it."""
    spans = {name: [0.0, 0.0] for name in ways}
    for recorded in read_messages(path, [topic]):
        for name, way in ways.items():
            value: Any = recorded.message
            for part in way:
                value = getattr(value, part)
            if math.isfinite(value):
                spans[name] = [min(spans[name][0], value), max(spans[name][1], value)]
    return {n: (_out(low), _out(high)) for n, (low, high) in spans.items() if low < high}


def _out(value: float) -> float:
    """Return a number rounded away from 0 to two digits."""
    if value == 0.0:
        return 0.0
    step = 10.0 ** (math.floor(math.log10(abs(value))) - 1)
    return math.copysign(math.ceil(abs(value) / step - 1e-6) * step, value)


def _first(path: Path, topic: str) -> Any:
    return next(recorded.message for recorded in read_messages(path, [topic]))


def _period(topics: Sequence[TopicInfo]) -> float:
    """Return the shortest usual period in which each topic says something."""
    rates = [topic.rate for topic in topics if topic.rate > 1.0]
    slowest = 1.0 / min(rates, default=10.0)
    return next((each for each in PERIODS if each >= 0.95 * slowest), PERIODS[-1])
