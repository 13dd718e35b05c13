"""Physical limits of a VelociRoACH and its sensors, as checks of its logs and recordings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ros_mbmrl.data.quality import Finding, Flags, any_of
from ros_mbmrl.data.rollout import Mark
from ros_mbmrl.robots.spec import Array

TURN = 2 * np.pi
FLOOR = 0.1  # share of a run's poses that are on the floor in any case


@dataclass(frozen=True)
class Limits:
    """Limits of a VelociRoACH and its sensors; set from the real logs.

    Args:
        speed: [m/s]; the top commanded gait is .6, the logs' 99.9th percentile .98 with stamp
            jitter.
        jump: in one step, whatever the time [m].
        turn_rate: of the whole attitude over a step [rad/s]; the logs' 99.97th percentile is 10.7.
        leg_rate: lowest, highest [rad/s]; 14.2 turns/s is the fastest ever commanded.
        gyro: [rad/s]; the sensor reads to 35; 99.9 % of rows stay below 15.3 on the worst axis.
        back_emf: [V]; the motor cannot exceed its full cell (4.2 V).
        battery: [V]; one lithium cell, with margin for the voltage drop of a stall.
        height: above the run's floor [m]; higher up the robot is in a hand. The floor is the height
            of the lowest tenth of the run's poses, because the map's origin differs by laboratory.
    """

    speed: float = 1.2
    jump: float = 0.3
    turn_rate: float = 12.0
    leg_rate: tuple[float, float] = (-2.0 * TURN, 16.0 * TURN)
    gyro: float = 18.0
    back_emf: float = 4.5
    battery: tuple[float, float] = (3.0, 4.4)
    height: float = 0.2


def inspect(m: Array, times: Array, source_times: Array, period: float) -> list[Finding]:
    """Check one run of the hexapod.

    Args:
        m: (n, 18) in the order of the hexapod's specification.
        times, source_times: of the row and of its pose, (n,) [s].
        period: of control [s].
    """
    limits = Limits()
    return [
        *_repeats(m, source_times),
        *_motion(m, times, source_times, period, limits),
        *_sensors(m, limits),
    ]


def _repeats(m: Array, source_times: Array) -> list[Finding]:
    same_pose = (np.diff(m[:, 0:7], axis=0) == 0).all(axis=1)
    same_telemetry = (np.diff(m[:, 7:18], axis=0) == 0).all(axis=1)
    same_stamp = np.diff(source_times) == 0
    return [
        Finding("pose stamped twice or frozen", Mark.REPEAT, same_stamp | same_pose),
        Finding("telemetry packet repeated", Mark.REPEAT, same_telemetry),
    ]


def _motion(
    m: Array, times: Array, pose_times: Array, period: float, limits: Limits
) -> list[Finding]:
    # Rates over less than half a period show stamp errors rather than motion: those are gaps.
    shortest = 0.5 * period
    pose_step = np.maximum(np.diff(pose_times), shortest)
    step = np.maximum(np.diff(times), shortest)
    distance = np.linalg.norm(np.diff(m[:, 0:3], axis=0), axis=1)
    cosine = np.abs((m[1:, 3:7] * m[:-1, 3:7]).sum(axis=1))
    fast = 2 * np.arccos(np.minimum(cosine, 1.0)) / pose_step > limits.turn_rate
    legs = np.diff(m[:, 13:15], axis=0) / step[:, None]
    low, high = limits.leg_rate
    spinning = any_of((legs < low) | (legs > high))
    far = (distance > limits.jump) | (distance / pose_step > limits.speed)
    return [
        Finding("pose moved faster than the robot walks", Mark.JUMP, far),
        Finding("pose turned faster than the robot turns", Mark.JUMP, fast),
        Finding("encoder faster than the motor", Mark.WILD, spinning),
    ]


def _sensors(m: Array, limits: Limits) -> list[Finding]:
    low, high = limits.battery
    rows: dict[str, Flags] = {
        "gyro beyond what the body does": any_of(np.abs(m[:, 7:10]) > limits.gyro),
        "back-EMF above the supply": any_of(np.abs(m[:, 15:17]) > limits.back_emf),
        "battery voltage out of range": (m[:, 17] < low) | (m[:, 17] > high),
        "pose above the run's floor": m[:, 2] > _floor(m[:, 2]) + limits.height,
    }
    return [Finding(reason, Mark.WILD, bad[:-1] | bad[1:]) for reason, bad in rows.items()]


def _floor(heights: Array) -> float:
    """Return the height of a run's floor [m]; nan if no height is known."""
    known = heights[np.isfinite(heights)]
    return float(np.quantile(known, FLOOR)) if len(known) else np.nan
