"""StateEstimator: measurements in, states out; the same code in every process that needs one."""

from __future__ import annotations

from ros_mbmrl.robots.measurement import Measurement
from ros_mbmrl.robots.spec import Array, Robot


class StateEstimator:
    """Turns a stream of measurements into states, differentiating over the real interval."""

    def __init__(self, robot: Robot) -> None:
        self._robot = robot
        self._previous: Measurement | None = None

    def reset(self) -> None:
        """Forget the previous measurement: a new run, or a gap."""
        self._previous = None

    def update(self, measurement: Measurement) -> Array:
        """State (ds,). An interval outside of half to twice the period starts afresh."""
        previous, period = self._previous, self._robot.spec.period
        dt = measurement.time - previous.time if previous is not None else period
        if previous is None or not 0.5 * period <= dt <= 2 * period:
            state = self._robot.estimate(measurement.values, None, period)
        else:
            state = self._robot.estimate(measurement.values, previous.values, dt)
        self._previous = measurement
        return state
