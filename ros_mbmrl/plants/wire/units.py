"""Conversion of the VelociRoACH's counts to SI units and REP-103 axes, and back.

The gyro's own axes are x right, y forward, z up, as the real robot's logs show; the accelerometer
is in the same chip. Right back-EMF is negative going forward, left positive. Source of the numbers:
biomimetics/roach and sliu2019/sl_nn_dynamics_roach.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ros_mbmrl.plants.wire.velociroach import Telemetry
from ros_mbmrl.robots.spec import Array

REVOLUTION = 1 << 16  # [counts]
ENCODER = 2 * math.pi / REVOLUTION  # [rad] per count
SET_POINT = 1000 * ENCODER  # [rad/s] per count/ms
GYRO = 0.0010658  # [rad/s]
ACCELEROMETER = 9.81 / 4096  # [m/s^2]
BACK_EMF = 3.3 / 1024 / (15 / 47)  # [V]
BATTERY = (3.7 / 2.7) * 3.3 / 1023  # [V]
# From the real robot's logs; its firmware's constant (140 counts at 12.5 Hz) would give 0.018.
BACK_EMF_PER_SPEED = 0.025  # [V s/rad]
WORD = 1 << 32
SHORT = (-(1 << 15), (1 << 15) - 1)


@dataclass(frozen=True)
class Sensed:
    """Sensor values: gyro (3,) [rad/s], force (3,) [m/s^2], back_emf (2,) [V], battery [V]."""

    gyro: Array
    force: Array
    back_emf: Array
    battery: float


def to_counts_per_ms(speed: float) -> int:
    """Return a leg's speed [rad/s] as a set-point."""
    return round(speed / SET_POINT)


def sensed(sample: Telemetry) -> Sensed:
    """Return the values of a sample except the encoders."""
    left, right = sample.back_emf
    return Sensed(
        gyro=GYRO * _turned(sample.gyro),
        force=ACCELEROMETER * _turned(sample.accelerometer),
        back_emf=BACK_EMF * np.array([left, -right], dtype=np.float64),
        battery=BATTERY * sample.battery,
    )


def sample_of(
    index: int,
    seconds: float,
    legs: tuple[int, int],
    targets: tuple[int, int],
    duties: tuple[int, int],
    given: Sensed,
) -> Telemetry:
    """Return the sample with which a robot reports these values: the inverse of `sensed`.

    Values that do not fit into 16 bits saturate.

    Args:
        index: of the sample.
        seconds: since the start [s].
        legs, targets: encoders and their PID targets, left and right [counts].
        duties: left and right, of 4000.
        given: values of the other sensors.
    """
    (gx, gy, gz), (ax, ay, az) = given.gyro / GYRO, given.force / ACCELEROMETER
    left, right = given.back_emf / BACK_EMF
    return Telemetry(
        index=index % WORD,
        microseconds=round(seconds * 1e6) % WORD,
        positions=(_wrapped(legs[0]), _wrapped(legs[1])),
        targets=(_wrapped(targets[0]), _wrapped(targets[1])),
        duties=duties,
        gyro=(_short(-gy), _short(gx), _short(gz)),
        accelerometer=(_short(-ay), _short(ax), _short(az)),
        back_emf=(_short(left), _short(-right)),
        battery=_short(given.battery / BATTERY),
    )


def _turned(axes: tuple[int, int, int]) -> Array:
    x, y, z = axes
    return np.array([y, -x, z], dtype=np.float64)


def _short(value: float) -> int:
    return min(max(round(value), SHORT[0]), SHORT[1])


def _wrapped(counts: int) -> int:
    """Return counts as a signed 32-bit number."""
    return (counts + WORD // 2) % WORD - WORD // 2
