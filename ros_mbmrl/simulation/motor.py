"""Motors and battery: how leg speeds follow their set-points.

The real robot runs a PID at 1 kHz per side. Here a velocity servo with droop is given a target
that reproduces what the real logs show.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

TURN = 2 * math.pi
# Set-points below this one [rad/s] fade the offset out, so that 0 stands still.
KNEE = 1.0 * TURN
NOMINAL_VOLTAGE = 3.95
# A cell of this size loses so much at rest [V/s] and per turning motor [V per rad] of leg angle.
# Under load it does not drop by what could be seen in the logs (0 to 4 mV per Hz).
IDLE_SAG = 1e-4
SAG_PER_RADIAN = 1e-5


@dataclass(frozen=True)
class Motor:
    """slope [-], offset [rad/s]: of the servo's target over the set-point. top_speed: [rad/s].

    lag: time constant of the target behind the set-point [s]; radio, PID and motor together.
    """

    slope: float = 0.76
    offset: float = 1.4 * TURN
    top_speed: float = 10.1 * TURN
    lag: float = 0.02

    def __post_init__(self) -> None:
        if not (self.slope > 0 and self.top_speed > 0 and self.lag >= 0):
            raise ValueError("slope, top_speed: expected above 0; lag: 0 or more")

    def target(self, setpoint: float, gain: float, voltage: float) -> float:
        """Speed [rad/s] that a side's servo aims for in the end; gain: the side's own."""
        moving = min(max(setpoint / KNEE, 0.0), 1.0)
        top = self.top_speed * voltage / NOMINAL_VOLTAGE
        return gain * min(self.slope * setpoint + self.offset * moving, top)

    def approach(self, duration: float) -> float:
        """Share of the way to a new target that is gone in `duration` [s]."""
        return 1.0 - math.exp(-duration / self.lag) if self.lag > 0 else 1.0


class Battery:
    """A cell that empties slowly."""

    def __init__(self, voltage: float) -> None:
        self.voltage = voltage  # [V]

    def use(self, speed: float, duration: float) -> None:
        """Turn the legs at `speed` [rad/s], both sides together, for `duration` [s]."""
        self.voltage -= (IDLE_SAG + SAG_PER_RADIAN * speed) * duration
