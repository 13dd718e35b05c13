"""Domain randomisation: a robot that differs a little from rollout to rollout.

On the nominal robot alone the meta-learner learns not to adapt: there is nothing to adapt to.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np

from ros_mbmrl.simulation.faults import WELL, Effect

DEGREE = math.pi / 180
Range = tuple[float, float]
P = TypeVar("P")


def check_signs(numbers: Any, above: tuple[str, ...], least: tuple[str, ...]) -> None:
    """Raise ValueError unless the fields `above` are above 0, and the fields `least` at least 0."""
    for name in (*above, *least):
        value, expected = getattr(numbers, name), "above 0" if name in above else "0 or more"
        if not (value > 0 if name in above else value >= 0):
            raise ValueError(f"{name}: expected {expected}, got {value}")


@dataclass(frozen=True)
class Ranges(Generic[P]):
    """A range (low, high) for every number of a P, drawn uniformly and independently.

    nominal: the P that says how many numbers a field has.
    """

    nominal: ClassVar[Any]

    def __post_init__(self) -> None:
        for each in fields(self):
            low, high = getattr(self, each.name)
            if not low <= high:
                raise ValueError(f"{each.name}: expected low <= high, got ({low}, {high})")

    def sample(self, rng: np.random.Generator) -> P:
        """Draw one."""
        drawn: dict[str, Any] = {}
        for each in fields(self):
            low, high = getattr(self, each.name)
            numbers = np.shape(getattr(self.nominal, each.name))
            value = rng.uniform(low, high, numbers).tolist()
            drawn[each.name] = tuple(value) if numbers else value
        made: P = type(self.nominal)(**drawn)
        return made


@dataclass(frozen=True)
class Physics:
    """A robot's physics, which differ between rollouts; the defaults are the nominal robot.

    left_gain, right_gain: of the leg speed. friction, mass, drag: factors on the terrain's and
    the body's. slope_x, slope_y: downhill tilt towards +x, +y [rad]. yaw_offset: error of the
    measured yaw [rad]. sensor_noise, process_noise: factors on every standard deviation.
    latency: from command to motor [s]. battery: voltage at the start [V]. effect: what is broken
    from the start on, beside the faults.
    """

    left_gain: float = 1.0
    right_gain: float = 1.0
    friction: float = 1.0
    mass: float = 1.0
    drag: float = 1.0
    slope_x: float = 0.0
    slope_y: float = 0.0
    yaw_offset: float = 0.0
    sensor_noise: float = 1.0
    process_noise: float = 1.0
    latency: float = 0.0
    battery: float = 3.95
    effect: Effect = WELL

    def __post_init__(self) -> None:
        above = ("left_gain", "right_gain", "friction", "mass", "battery")
        check_signs(self, above, ("drag", "sensor_noise", "process_noise", "latency"))


NOMINAL = Physics()


@dataclass(frozen=True)
class Randomisation(Ranges[Physics]):
    """A range for every number of `Physics`."""

    nominal: ClassVar = NOMINAL
    left_gain: Range = (0.75, 1.25)
    right_gain: Range = (0.75, 1.25)
    friction: Range = (0.75, 1.3)
    mass: Range = (0.9, 1.15)
    drag: Range = (0.8, 1.25)
    slope_x: Range = (-5 * DEGREE, 5 * DEGREE)
    slope_y: Range = (-5 * DEGREE, 5 * DEGREE)
    yaw_offset: Range = (-6 * DEGREE, 6 * DEGREE)
    sensor_noise: Range = (0.5, 1.5)
    process_noise: Range = (0.0, 1.5)
    latency: Range = (0.0, 0.02)
    battery: Range = (3.75, 4.1)


MILD = Randomisation()  # around the calibrated robot: what is trained on
# The same robots on ground as rough as the logs say it is, and with a tenth of that: there the
# path is lost to what has changed rather than to chance.
LOUD = replace(MILD, process_noise=(0.75, 1.25))
QUIET = replace(MILD, process_noise=(0.05, 0.15))

# Every range is one point: each rollout is the nominal robot.
NONE = Randomisation(
    **{field.name: (getattr(NOMINAL, field.name),) * 2 for field in fields(Randomisation)}
)
