"""Positions: commands that are rates, sent to a robot that takes positions."""

from __future__ import annotations

import math

import numpy as np

from ros_mbmrl.plants.topics.wiring import Wiring
from ros_mbmrl.robots.spec import Array, RobotSpec

# Of a state's range, kept free at both ends: sensors have noise, and a joint that is measured
# beyond its limit is stopped for good.
ROOM = 0.01
LEAD = 5.0  # periods at full speed that a position may be away from the measured one


class Positions:
    """Integral of commands over time, begun at what is measured; 0 holds it.

    A command v at time t gives the position at the end of its period: p(t) + v * period, where
    p(t) is how far the command before has led until then. It stays near the measured position, so
    that a joint that was held does not leap when it is let go, and inside of the state's limits.

    Args:
        spec: of the robot.
        wiring: `Sink.integrates` of its commands.
    """

    def __init__(self, spec: RobotSpec, wiring: Wiring) -> None:
        measured = [quantity.name for quantity in spec.measurement]
        of = [wiring.sinks[limit.name].integrates for limit in spec.action]
        self._places = [k for k, name in enumerate(of) if name]
        self._measured = [measured.index(name) for name in of if name]
        self._wraps = np.array([name in wiring.wraps for name in of if name])
        limits = [spec.envelope.state_limits.get(n, (-math.inf, math.inf)) for n in of if n]
        low, high = np.array(limits, dtype=float).reshape(-1, 2).T
        room = np.where(np.isfinite(high - low), ROOM * (high - low), 0.0)
        self._low, self._high = low + room, high - room
        fastest = np.maximum(np.abs(spec.action_low), np.abs(spec.action_high))[self._places]
        self._lead, self._period = LEAD * spec.period * fastest, spec.period
        self._target: Array | None = None
        self._rate, self._since = np.zeros(len(self._places)), 0.0

    @property
    def needed(self) -> bool:
        """Return whether a command is sent as a position."""
        return bool(self._places)

    @property
    def begun(self) -> bool:
        """Return whether there is a position to hold."""
        return self._target is not None

    def sent(self, action: Array, measured: Array | None, now: float) -> Array:
        """Return what is sent for a command (da,): it, with positions in their places.

        Args:
            action: the command (da,).
            measured: (dm,); None: it is not known, and the position is led on without it.
            now: time [s].

        Raises:
            ValueError: there is no position to begin at.
        """
        if not self._places:
            return action
        here = None if measured is None else measured[self._measured]
        held = here if self._target is None else self._led(self._target, now)
        if held is None:
            raise ValueError("expected a measured position to begin at")
        if here is not None:
            away = held - here
            turns = 2 * math.pi * np.round(away / (2 * math.pi)) * self._wraps
            held = here + turns + np.clip(away - turns, -self._lead, self._lead)
        rate = action[self._places]
        self._target, self._rate, self._since = held, rate, now
        sent: Array = action.copy()
        sent[self._places] = self._moved(held, rate * self._period)
        return sent

    def _led(self, target: Array, now: float) -> Array:
        """Return how far the newest command has led by now."""
        passed = min(max(now - self._since, 0.0), self._period)
        return self._moved(target, self._rate * passed)

    def _moved(self, position: Array, by: Array) -> Array:
        """Return positions moved, not beyond the limits; from beyond them they do not leap back."""
        low, high = np.minimum(self._low, position), np.maximum(self._high, position)
        moved: Array = np.clip(position + by, low, high)
        return moved
