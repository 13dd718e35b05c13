"""What makes a stretch of a walking robot's log untrustworthy, as marks with reasons."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ros_mbmrl.data.rollout import Mark

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

TURN = 2 * np.pi


@dataclass(frozen=True)
class Limits:
    """What a VelociRoACH and its sensors can do; set from the real logs, see each line.

    period: control period [s]; a step is trusted between half and one and a half of it.
    speed [m/s]: top commanded gait is .6, the logs' 99.9th percentile .98 with stamp jitter.
    jump [m]: in one step, whatever the time.
    turn_rate [rad/s]: of the whole attitude over a step; the logs' 99.97th percentile is 10.7.
    leg_rate [rad/s]: lowest, highest; 14.2 turns/s is the fastest ever commanded.
    gyro [rad/s]: the sensor reads to 35; 99.9 % of rows stay below 15.3 on the worst axis.
    back_emf [V]: the motor cannot exceed its full cell (4.2 V).
    battery [V]: one lithium cell, with margin for the sag of a stall.
    height [m]: above it the robot is in a hand.
    norm: how far a quaternion may be from length one.
    """

    period: float = 0.1
    speed: float = 1.2
    jump: float = 0.3
    turn_rate: float = 12.0
    leg_rate: tuple[float, float] = (-2.0 * TURN, 16.0 * TURN)
    gyro: float = 18.0
    back_emf: float = 4.5
    battery: tuple[float, float] = (3.0, 4.4)
    height: float = 0.25
    norm: float = 0.05


@dataclass(frozen=True)
class Finding:
    """A reason, the mark it stands for, and the intervals (n-1,) between rows that it spoils."""

    reason: str
    mark: Mark
    intervals: Flags


def inspect(measurement: Array, times: Array, pose_times: Array, limits: Limits) -> list[Finding]:
    """Findings on one run.

    measurement: (n, 18) in the order of the hexapod's specification. times, pose_times: (n,)
    [s], of the row and of its pose.
    """
    return [
        *_timing(measurement, times, pose_times, limits),
        *_motion(measurement, times, pose_times, limits),
        *_sensors(measurement, limits),
    ]


def spread(findings: list[Finding], length: int) -> NDArray[np.uint8]:
    """Marks (length,) of the transitions that the findings touch.

    A state holds finite differences over the interval that led to it, so a spoilt interval
    spoils its own transition and the one after it.
    """
    marks = np.zeros(length, dtype=np.uint8)
    for finding in findings:
        spoilt = finding.intervals.copy()
        spoilt[1:] |= finding.intervals[:-1]
        marks[spoilt] |= np.uint8(finding.mark)
    return marks


def _timing(m: Array, times: Array, pose_times: Array, limits: Limits) -> list[Finding]:
    low, high = 0.5 * limits.period, 1.5 * limits.period
    step, pose_step = np.diff(times), np.diff(pose_times)
    same_pose = (np.diff(m[:, 0:7], axis=0) == 0).all(axis=1)
    same_telemetry = (np.diff(m[:, 7:18], axis=0) == 0).all(axis=1)
    late = (step < low) | (step > high)
    # A pose stamped twice is a repeat; the long pose step that follows it is a gap.
    pose_late = ((pose_step < low) | (pose_step > high)) & (pose_step != 0) & ~late
    return [
        Finding("step time outside 0.5 to 1.5 periods", Mark.GAP, late),
        Finding("pose time step outside 0.5 to 1.5 periods", Mark.GAP, pose_late),
        Finding("pose stamped twice or frozen", Mark.REPEAT, (pose_step == 0) | same_pose),
        Finding("telemetry packet repeated", Mark.REPEAT, same_telemetry),
    ]


def _motion(m: Array, times: Array, pose_times: Array, limits: Limits) -> list[Finding]:
    # Rates over less than half a period say more about stamps than about motion: those are gaps.
    shortest = 0.5 * limits.period
    pose_step = np.maximum(np.diff(pose_times), shortest)
    step = np.maximum(np.diff(times), shortest)
    distance = np.linalg.norm(np.diff(m[:, 0:3], axis=0), axis=1)
    cosine = np.abs((m[1:, 3:7] * m[:-1, 3:7]).sum(axis=1))
    fast = 2 * np.arccos(np.minimum(cosine, 1.0)) / pose_step > limits.turn_rate
    legs = np.diff(m[:, 13:15], axis=0) / step[:, None]
    low, high = limits.leg_rate
    spinning = _any((legs < low) | (legs > high))
    far = (distance > limits.jump) | (distance / pose_step > limits.speed)
    return [
        Finding("pose moved faster than the robot walks", Mark.JUMP, far),
        Finding("pose turned faster than the robot turns", Mark.JUMP, fast),
        Finding("encoder faster than the motor", Mark.WILD, spinning),
    ]


def _sensors(m: Array, limits: Limits) -> list[Finding]:
    low, high = limits.battery
    norm: Array = np.linalg.norm(m[:, 3:7], axis=1)
    rows: dict[str, Flags] = {
        "gyro beyond what the body does": _any(np.abs(m[:, 7:10]) > limits.gyro),
        "back-EMF above the supply": _any(np.abs(m[:, 15:17]) > limits.back_emf),
        "battery voltage out of range": (m[:, 17] < low) | (m[:, 17] > high),
        "pose above any floor": m[:, 2] > limits.height,
        "quaternion not of unit length": np.abs(norm - 1) > limits.norm,
    }
    return [Finding(reason, Mark.WILD, bad[:-1] | bad[1:]) for reason, bad in rows.items()]


def _any(flags: Flags) -> Flags:
    return np.asarray(flags.any(axis=1), dtype=np.bool_)
