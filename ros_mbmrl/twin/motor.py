"""How the leg speeds follow their set-points, and what the battery has to do with it.

The real robot runs a PID at 1 kHz per side. Here a velocity servo with droop is given a target
that reproduces what the real logs show: achieved about 0.72 of the set-point plus 1.2 Hz, and
no more than 9.9 Hz.
"""

from __future__ import annotations

import math

TURN = 2 * math.pi
# The servo's own droop under load is about a twentieth and 0.2 Hz: the targets lie above.
SLOPE = 0.76
OFFSET = 1.4 * TURN
# Set-points below this one [rad/s] fade the offset out, so that 0 stands still.
KNEE = 1.0 * TURN
TOP_SPEED = 10.1 * TURN
NOMINAL_VOLTAGE = 3.95
# A cell of this size loses so much at rest [V/s] and per turning motor [V per rad] of leg angle.
IDLE_SAG = 1e-4
SAG_PER_RADIAN = 1e-5
# Drop across the inner resistance of the cell, per leg speed [V s/rad].
LOAD_DROP = 8e-4


def servo_target(setpoint: float, gain: float, voltage: float) -> float:
    """Speed [rad/s] that a side's servo aims for, of a set-point [rad/s] and the side's gain."""
    moving = min(max(setpoint / KNEE, 0.0), 1.0)
    top = TOP_SPEED * voltage / NOMINAL_VOLTAGE
    return gain * min(SLOPE * setpoint + OFFSET * moving, top)


class Battery:
    """A cell that empties slowly and drops under load."""

    def __init__(self, voltage: float) -> None:
        self.voltage = voltage  # at the terminals [V]
        self._open = voltage

    def use(self, speed: float, duration: float) -> None:
        """Turn the legs at `speed` [rad/s], both sides together, for `duration` [s]."""
        self._open -= (IDLE_SAG + SAG_PER_RADIAN * speed) * duration
        self.voltage = self._open - LOAD_DROP * speed
