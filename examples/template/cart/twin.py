"""The cart's twin: `plant:=twin`. A robot's driver has the same methods and `simulated = False`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import TracebackType

import numpy as np
from ros_mbmrl.errors import UserError
from ros_mbmrl.plants.base import PlantOptions, within_limits
from ros_mbmrl.robots.measurement import Measurement
from ros_mbmrl.robots.spec import Array, Robot

LAG = 0.2  # [s] in which the speed follows its set-point


class CartTwin:
    """A `Plant`. gain: how much of the set-point the wheel makes; from `fault_at` [s] on half."""

    simulated = True

    def __init__(
        self, robot: Robot, gain: float = 1.0, fault_at: float = math.inf, seed: int = 0
    ) -> None:
        self._spec, self._gain, self._fault_at = robot.spec, gain, fault_at
        self._faults_from = 0.0
        self._rng = np.random.default_rng(seed)
        self._now = self._position = self._speed = self._wanted = 0.0

    def __enter__(self) -> CartTwin:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def observe(self) -> Measurement:
        """Position and speed, with a millimetre of noise."""
        noise = 0.001 * self._rng.standard_normal(2)
        return Measurement(self._now, np.array([self._position, self._speed]) + noise)

    def command(self, action: Array) -> None:
        """The wheel's set-point [m/s] within its limits. Raises ValueError otherwise."""
        self._wanted = float(within_limits(self._spec, action)[0])

    def advance(self, duration: float) -> None:
        """Let `duration` [s] of simulated time pass: a first-order lag, solved exactly."""
        gain = self._gain * (0.5 if self._now >= self._faults_from + self._fault_at else 1.0)
        off, decay = self._speed - gain * self._wanted, math.exp(-duration / LAG)
        self._position += gain * self._wanted * duration + off * LAG * (1 - decay)
        self._speed = gain * self._wanted + off * decay
        self._now += duration

    def faults_from(self, second: float) -> None:
        """Count the fault's seconds from this one of the twin's time [s]."""
        self._faults_from = second

    def stop(self) -> None:
        """Set-point 0."""
        self._wanted = 0.0

    def counters(self) -> Mapping[str, int | float]:
        """Nothing: it has no wires."""
        return {}


def check(options: PlantOptions) -> None:
    """Raises UserError for an unknown fault, before anything is started."""
    _fault_at(options.fault)


def make(robot: Robot, options: PlantOptions) -> CartTwin:
    """The twin. Raises UserError."""
    return CartTwin(robot, fault_at=_fault_at(options.fault), seed=options.seed)


def _fault_at(text: str) -> float:
    name, _, seconds = text.partition("@")
    if not text:
        return math.inf
    try:
        at = float(seconds) if name == "slips" else math.nan
    except ValueError:
        at = math.nan
    if not 0 <= at < math.inf:
        raise UserError(f"fault '{text}': expected slips@SECONDS")
    return at
