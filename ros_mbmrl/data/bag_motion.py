"""Motion of a base in a bag: how fast its pose moved, and whether it ever repeated."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ros_mbmrl.data.recording import read_messages
from ros_mbmrl.robots.angles import yaw_of

ENOUGH = 100  # messages from which on it is no chance that none repeats the one before
RESTS = 0.15  # of the largest speed: what is slower may be noise at rest
OVER = 0.1  # [s] over which a speed is taken, at least


@dataclass(frozen=True)
class Motion:
    """Motion of a pose.

    Args:
        speed, turn_rate: the largest [m/s], [rad/s].
        live: each message differs from the one before it, to the bit, also where it rests: a
            simulator's pose without noise repeats there.
    """

    speed: float
    turn_rate: float
    live: bool


def base_motion(path: Path, topic: str) -> Motion:
    """Return how the pose of a topic moves in a bag; all 0 if there is too little of it.

    Args:
        path: of the bag.
        topic: of an Odometry, or a pose with a header.
    """
    rows = np.array([_row(each.message) for each in read_messages(path, [topic])])
    if len(rows) < ENOUGH:
        return Motion(0.0, 0.0, live=False)
    times, places, yaws = rows[:, 0], rows[:, 1:3], np.unwrap(rows[:, 3])
    differs = bool((rows[1:, 1:] != rows[:-1, 1:]).any(axis=1).all())
    usual = float(np.median(np.diff(times)))
    stride = max(1, math.ceil(OVER / usual - 1e-6)) if usual > 0 else 1
    passed = times[stride:] - times[:-stride]
    whole = passed > OVER / 2  # not across a clock that was set
    moved = np.hypot(*(places[stride:] - places[:-stride]).T)
    turned = np.abs(yaws[stride:] - yaws[:-stride])
    speeds, rates = moved[whole] / passed[whole], turned[whole] / passed[whole]
    speed, turn_rate = float(speeds.max(initial=0.0)), float(rates.max(initial=0.0))
    rested = bool(((speeds <= RESTS * speed) & (rates <= RESTS * turn_rate)).any())
    return Motion(speed, turn_rate, live=differs and rested)


def _row(message: Any) -> tuple[float, float, float, float]:
    pose = message.pose
    while hasattr(pose, "pose"):  # with a covariance
        pose = pose.pose
    q, stamp = pose.orientation, message.header.stamp
    yaw = float(yaw_of(q.w, q.x, q.y, q.z))
    return stamp.sec + 1e-9 * stamp.nanosec, pose.position.x, pose.position.y, yaw
