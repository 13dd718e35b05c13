"""StateEstimator: measurements in, states out; every process that needs states uses it."""

from __future__ import annotations

from ros_mbmrl.robots.measurement import Measurement
from ros_mbmrl.robots.spec import Array, Robot


class StateEstimator:
    """Stream of measurements turned into states; differences are taken over the real interval."""

    def __init__(self, robot: Robot) -> None:
        self._robot = robot
        self._previous: Measurement | None = None

    def reset(self) -> None:
        """Forget the previous measurement, for a new run or after a gap."""
        self._previous = None

    def update(self, measurement: Measurement) -> Array:
        """Return the state (ds,). An interval outside of 0.5 to 2 periods starts a new run."""
        previous, period = self._previous, self._robot.spec.period
        dt = measurement.time - previous.time if previous is not None else period
        if previous is None or not 0.5 * period <= dt <= 2 * period:
            state = self._robot.estimate(measurement.values, None, period)
        else:
            state = self._robot.estimate(measurement.values, previous.values, dt)
        self._previous = measurement
        return state
