"""SafetyMonitor: a pure state machine between what is proposed and what is sent.

No input or output, no clock of its own: the same sequence of inputs gives the same answers.
The rules are the table in `rules.py`. The arena's fence is the safety policy of the thesis,
section 9.4.4: turn back before the edge, stop at it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ros_mbmrl.robots.spec import Array, Robot
from ros_mbmrl.safety import fence
from ros_mbmrl.safety.conditions import View
from ros_mbmrl.safety.history import History
from ros_mbmrl.safety.rules import CLIPPING, RULES, SLOWING, Rule
from ros_mbmrl.safety.types import Checked, Health, Level, SafetyConfig

DRIVEN = 0.05  # of the range: less may be too little for a motor to turn at all


@dataclass(frozen=True)
class _Track:
    """How long a rule's condition has stood or been away, and whether the rule acts.

    stands: the newest verdict that could be given. judged: whether the newest update could tell.
    """

    updates: int = 0
    seconds: float = 0.0
    away: float = 0.0
    acting: bool = False
    detail: str = ""
    stands: bool = False
    judged: bool = False

    @property
    def told(self) -> str:
        """For people."""
        return self.detail if self.stands else f"{self.detail}; well again, waiting"

    def advanced(self, rule: Rule, verdict: str | None, elapsed: float, started: bool) -> _Track:
        """Return the consequence of a verdict given `elapsed` [s] after the last."""
        if verdict is None:
            return replace(self, away=0.0, judged=False)
        if not verdict:
            away = self.away if self.stands else self.away + elapsed
            if self.acting and not _reached(away, rule.clear_seconds):
                return _Track(away=away, acting=True, detail=self.detail, judged=True)
            return _Track(judged=True)
        updates = self.updates + 1
        seconds = self.seconds + elapsed if self.updates else 0.0
        acts = updates >= rule.updates and _reached(seconds, rule.seconds)
        acts &= started or not rule.after_start
        return _Track(updates, seconds, 0.0, self.acting or acts, verdict, True, True)


def _reached(seconds: float, wanted: float) -> bool:
    """Ten periods of 0.1 s add up to a little less than one second."""
    return seconds >= wanted - 1e-9


class SafetyMonitor:
    """The last word on every command.

    Standing still is the zero set-point (or what is nearest to it in the range). It is always
    allowed at once: the rate limit must not delay braking. Everything else stays within range
    and rate, counted from the last command let through.
    """

    def __init__(self, robot: Robot, config: SafetyConfig | None = None) -> None:
        self.config = config or SafetyConfig(**robot.safety)
        self._last = robot.spec.rest
        self.watch(robot)
        self._now: float | None = None
        self._history = History()
        self._started = False
        self._tracks = {rule.name: _Track() for rule in RULES}
        self._latched: dict[str, str] = {}

    def watch(self, robot: Robot) -> None:
        """Judge by the limits of this robot, the same one, from the next update on.

        A latched stop stays. A command outside of a range that is narrower now is clipped to it at
        once: that brings it nearer to standing still, which the rate limit never delays.
        """
        spec = robot.spec
        self._robot = robot
        self._low, self._high = spec.action_low, spec.action_high
        self._full_step = spec.action_step
        self._stand: Array = spec.rest
        self._last = np.clip(self._last, self._low, self._high)

    @property
    def stopped(self) -> bool:
        """Whether a stop is latched."""
        return bool(self._latched)

    @property
    def stop_reason(self) -> str:
        """Causes of the latched stop, empty if none is latched."""
        return "; ".join(f"{name}: {detail}" for name, detail in self._latched.items())

    def update(
        self, now: float, proposed: Array | None, state: Array | None, health: Health
    ) -> Checked:
        """Check one command; called once a control period.

        now: [s], on any clock that is the same from call to call. proposed: (da,) or None.
        state: (ds,) or None. An interval shorter than half a period allows a proportionally
        smaller change; jitter above that is forgiven.
        """
        elapsed = self._elapse(now)
        view = self._look(proposed, state, health, elapsed)
        for rule in RULES:
            track = self._tracks[rule.name]
            verdict = rule.condition(view, track.acting)
            track = track.advanced(rule, verdict, elapsed, view.started)
            self._tracks[rule.name] = track
            if rule.latched and track.acting:
                self._latched.setdefault(rule.name, track.detail)
        level = self._level()
        action, level = self._act(view, level)
        self._last = action
        return Checked(action.copy(), level, self._reasons(level))

    def request_stop(self, reason: str) -> None:
        """Stop from the next update on, until reset."""
        self._latched.setdefault("stop_requested", reason or "somebody asked for it")

    def plant_rests(self) -> None:
        """Count the rate limit from rest: somebody else has stopped the plant."""
        self._last = self._stand

    def reset(self, now: float) -> tuple[bool, str]:
        """End a stop, unless a cause stands; whether it ended, and one line that says why.

        The newest update is what causes are judged by: it must be recent at `now` [s].
        """
        if not self._latched:
            return True, "nothing to reset"
        patience = self.config.lost_after * self._robot.spec.envelope.state_timeout
        if self._now is None or not now - self._now <= patience:
            return False, "refused: no recent update to judge by"
        causes = {rule.name: self._tracks[rule.name] for rule in RULES if rule.latched}
        for name, track in causes.items():
            if track.stands:
                return False, f"refused: {name}: {track.detail}"
        for name, track in causes.items():
            if not track.judged:
                return False, f"refused: {name} cannot be judged without a fresh state"
        ended = ", ".join(self._latched)
        self._latched.clear()
        self._started = False
        self._tracks = {rule.name: _Track() for rule in RULES}
        return True, f"reset: {ended}"

    def _elapse(self, now: float) -> float:
        """Seconds since the last update; a period if the clock went backwards or is broken."""
        period = self._robot.spec.period
        if not math.isfinite(now):
            return period
        previous, self._now = self._now, now
        elapsed = period if previous is None else now - previous
        return elapsed if elapsed >= 0 else period

    def _look(
        self, proposed: Array | None, state: Array | None, health: Health, elapsed: float
    ) -> View:
        spec = self._robot.spec
        trusted, state_fault = _numbers("state", state, len(spec.state))
        fresh = abs(health.state_age) <= spec.envelope.state_timeout
        usable = trusted if fresh else None
        measured_at = (self._now or 0.0) - health.state_age
        driven = self._drives(self._last)
        if health.heard is not None:  # a robot does not move for a command that is still on its way
            driven &= self._drives(health.heard)
        self._history = self._history.seen(self._robot, self.config, usable, measured_at, driven)
        ready = self._history.row >= self.config.start_updates
        self._started |= ready and not health.plant_fault and not health.peers
        action, proposal_fault = _numbers("command", proposed, len(spec.action))
        share = 1.0 if elapsed >= 0.5 * spec.period else elapsed / spec.period
        return View(
            robot=self._robot,
            config=self.config,
            health=health,
            proposed=action,
            proposal_fault=proposal_fault,
            state=None if self._history.jump else usable,
            state_fault=state_fault,
            history=self._history,
            started=self._started,
            last=self._last,
            step=self._full_step * share,
        )

    def _drives(self, action: Array) -> NDArray[np.bool_]:
        """Return which commands (da,) tell the robot to move."""
        return np.abs(action - self._stand) > DRIVEN * (self._high - self._low)

    def _level(self) -> Level:
        if self._latched:
            return Level.LATCHED
        return max(
            (rule.level for rule in RULES if self._tracks[rule.name].acting), default=Level.RUN
        )

    def _act(self, view: View, level: Level) -> tuple[Array, Level]:
        if level >= Level.HOLD:
            return self._stand, level
        wanted = view.proposed
        if level is Level.RETURN and view.state is not None:
            target = fence.centre(self._robot.spec.envelope)
            wanted = self._robot.retreat(view.state, target)
        if wanted is None or not np.isfinite(wanted).all():
            return self._stand, Level.HOLD
        return self._limit(wanted, view.step), level

    def _limit(self, wanted: Array, step: Array) -> Array:
        slow = any(self._tracks[name].acting for name in SLOWING)
        share = self.config.limited_range if slow else 1.0
        low = self._stand + share * (self._low - self._stand)
        high = self._stand + share * (self._high - self._stand)
        ranged = np.clip(wanted, low, high)
        # The rate comes last: a range that has just become smaller is reached within the rate.
        limited: Array = np.clip(ranged, self._last - step, self._last + step)
        return np.clip(limited, self._low, self._high)

    def _reasons(self, level: Level) -> tuple[str, ...]:
        """Latched causes first, then what acts now, worst first."""
        # What would have been clipped says nothing where the command is not used at all.
        silent = CLIPPING if level > Level.LIMITED else frozenset()
        latched = [f"{name}: {detail}" for name, detail in self._latched.items()]
        acting = [
            f"{rule.name}: {self._tracks[rule.name].told}"
            for rule in sorted(RULES, key=lambda rule: -rule.level)
            if self._tracks[rule.name].acting and rule.name not in {*self._latched, *silent}
        ]
        return tuple(latched + acting)


def _numbers(kind: str, values: Array | None, size: int) -> tuple[Array | None, str]:
    """The values as (size,) finite float64, or None and what is wrong with them."""
    if values is None:
        return None, f"no {kind}"
    try:
        array = np.array(values, dtype=np.float64)
    except (TypeError, ValueError):
        return None, f"{kind} is not a row of numbers"
    if array.shape != (size,):
        return None, f"{kind} has shape {array.shape}, expected ({size},)"
    if not np.isfinite(array).all():
        return None, f"{kind} is not finite"
    return array, ""
