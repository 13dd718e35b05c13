"""Checks over several states: whether they go on coming, stand frozen, or jump."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ros_mbmrl.robots.spec import Array, Robot
from ros_mbmrl.safety.types import SafetyConfig

NEW = 0.1  # of a period: what is measured that much later is another measurement
JUMPS_SECONDS = 1.0  # how long a jump counts


@dataclass(frozen=True)
class History:
    """A value; `seen` gives the next one.

    measured_at: [s], when the newest state was. state: (ds,), the newest. row: good states in a
    row, each measured later than the one before it. frozen: for how many updates each of the
    envelope's `live_sensors` has said the same to the bit while the robot was driven.
    jump: what is wrong with the newest state's place, empty if nothing is. jumps: when there were
    some, within the last second [s]. trusted: the pose (x, y, yaw) to go by; at trusted_at [s].
    """

    measured_at: float = -math.inf
    state: Array | None = None
    row: int = 0
    frozen: tuple[int, ...] = ()
    jump: str = ""
    jumps: tuple[float, ...] = ()
    trusted: tuple[float, float, float] | None = None
    trusted_at: float = -math.inf

    def seen(
        self,
        robot: Robot,
        config: SafetyConfig,
        state: Array | None,
        measured_at: float,
        driven: NDArray[np.bool_],
    ) -> History:
        """With one more state (ds,), or None: there was none to trust.

        driven: (da,), which commands had told the robot to move.
        """
        if state is None:
            return replace(self, row=0, jump="")
        ahead = measured_at - self.measured_at
        least = NEW * robot.spec.period
        if ahead < -least:  # the clock began anew: nothing before counts
            return History().seen(robot, config, state, measured_at, driven)
        later = ahead >= least
        frozen = self._frozen(robot, state, driven & later)
        if not later and self.state is not None and np.array_equal(state, self.state):
            return self  # the same once more: neither good nor bad
        recent = tuple(t for t in self.jumps if measured_at - t < JUMPS_SECONDS)
        jump = self._jump(robot, state, measured_at)
        if jump:
            recent = (*recent, measured_at)
        # So many jumps latch a stop: what came last is what a reset goes by. And a place that a
        # frozen sensor repeats is none: once it thaws, the robot may be as far as it could walk.
        moves_on = not jump or len(recent) >= config.jumps
        moves_on &= not (any(frozen) and robot.pose(state) == self.trusted)
        return History(
            measured_at=measured_at if later else self.measured_at,
            state=state,
            row=0 if jump else self.row + later,
            frozen=frozen,
            jump=jump,
            jumps=recent,
            trusted=robot.pose(state) if moves_on else self.trusted,
            trusted_at=measured_at if moves_on else self.trusted_at,
        )

    def _frozen(self, robot: Robot, state: Array, driven: NDArray[np.bool_]) -> tuple[int, ...]:
        sensors = robot.spec.envelope.live_sensors
        if self.state is None or not sensors:
            return (0,) * len(sensors)
        names = [quantity.name for quantity in robot.spec.state]
        same = dict(zip(names, state == self.state, strict=True))
        told = dict(zip((a.name for a in robot.spec.action), driven, strict=True))
        return tuple(
            0
            if not all(same[name] for name in sensor.states)
            else count + any(told[name] for name in sensor.driven_by or told)
            for sensor, count in zip(sensors, self.frozen, strict=True)
        )

    def _jump(self, robot: Robot, state: Array, measured_at: float) -> str:
        pose, envelope = robot.pose(state), robot.spec.envelope
        if envelope.state_range:
            values = {q.name: float(v) for q, v in zip(robot.spec.state, state, strict=True)}
            for name, (low, high) in envelope.state_range.items():
                if not low <= values[name] <= high:
                    return f"{name} is {values[name]:.3g}, sensors say {low:g} to {high:g}"
        if pose is None or self.trusted is None:
            return ""
        elapsed = max(measured_at - self.trusted_at, robot.spec.period)
        moved = math.hypot(pose[0] - self.trusted[0], pose[1] - self.trusted[1])
        turn = pose[2] - self.trusted[2]
        turned = abs(math.remainder(turn, 2 * math.pi)) if math.isfinite(turn) else math.inf
        if not moved <= envelope.max_speed * elapsed:
            return f"moved {moved:.2f} m in {elapsed:.2f} s, at most {envelope.max_speed:g} m/s"
        if not turned <= envelope.max_turn_rate * elapsed:
            limit = envelope.max_turn_rate
            return f"turned {turned:.2f} rad in {elapsed:.2f} s, at most {limit:g} rad/s"
        return ""
