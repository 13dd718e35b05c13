"""Keep the newest of all that the safety monitor looks at, and tell how old it is."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from ros_mbmrl.robots.spec import Array
from ros_mbmrl.safety.types import Health

MODEL_SILENT = 0.5  # [s] without a word of the model's error, after which it is not trusted
HEARD_SILENT = 0.5  # [s] without a word of what the driver heard: then it has all that was sent


@dataclass(frozen=True)
class Seen:
    """A state (ds,) and when it came.

    stamp: [ns], and time: the same in seconds, on the plant's clock. age: [s], of its oldest part
    when it was stamped. arrival: [s], on the steady clock.
    """

    stamp: int
    time: float
    state: Array
    age: float
    arrival: float


@dataclass(frozen=True)
class Proposal:
    """A proposed command (da,), or None: none that can be read.

    stamp: [ns] of the state that it answers. failed: the planner found no plan. arrival: [s], on
    the steady clock.
    """

    stamp: int
    action: Array | None
    failed: bool
    arrival: float


class Inputs:
    """The newest state, proposal, model error and fault of the plant.

    clock: [s], steady. lockstep: ages are of the stamps alone, and time is the newest state's.
    adaptation: in lockstep, a proposal waits for the model error of the same stamp.
    """

    def __init__(self, clock: Callable[[], float], lockstep: bool, adaptation: bool) -> None:
        self._clock, self._lockstep = clock, lockstep
        self._awaits_error = lockstep and adaptation
        self.seen: Seen | None = None
        self.proposal: Proposal | None = None
        self.plant_fault = ""
        self.repeated = self.disordered = 0  # proposals, totals
        self._pending = False  # whether the newest proposal still has to be answered
        self._error: tuple[int, float] = (-1, 0.0)
        self._told_at = clock()  # when the model error was told last
        self._heard: tuple[float, Array] | None = None  # when it was told, the command
        self._heard_before: Array | None = None  # what the driver had heard when the state came

    @property
    def now(self) -> float:
        """[s] on the clock that the monitor goes by."""
        if self._lockstep:
            return 0.0 if self.seen is None else self.seen.time
        return self._clock()

    def is_new(self, stamp: int) -> bool:
        """Return whether the state stamped `stamp` [ns] is another one than the newest."""
        return self.seen is None or stamp != self.seen.stamp

    def take_state(self, stamp: int, time: float, state: Array, age: float) -> None:
        """Keep a state (ds,); see `Seen`."""
        now = self._clock()
        self.seen = Seen(stamp, time, state, age, now)
        told = self._heard
        self._heard_before = None if told is None or now - told[0] > HEARD_SILENT else told[1]

    def take_heard(self, action: Array) -> None:
        """Keep the command (da,) that the driver has heard."""
        self._heard = self._clock(), action

    def take_proposal(self, stamp: int, action: Array | None, failed: bool) -> None:
        """Keep a proposal, which has to be answered; see `Proposal`."""
        if self.proposal is not None:
            self.repeated += stamp == self.proposal.stamp
            self.disordered += stamp < self.proposal.stamp
        self.proposal = Proposal(stamp, action, failed, self._clock())
        self._pending = True

    def take_error(self, stamp: int, error: float) -> None:
        """Keep the model error after adaptation to the state stamped `stamp` [ns]."""
        self._error = (stamp, error)
        self._told_at = self._clock()

    def due(self, answered: int | None) -> Proposal | None:
        """Return the newest proposal once all that belongs to it has come; each proposal once.

        answered: stamp [ns] of the newest answer. What answers the same state again is due at once.
        """
        proposal, seen = self.proposal, self.seen
        if not self._pending or proposal is None:
            return None
        if proposal.stamp != answered:
            if seen is None or seen.stamp < proposal.stamp:
                return None
            if self._awaits_error and self._error[0] != proposal.stamp:
                return None
        self._pending = False
        return proposal

    def ages(self) -> tuple[float, float]:
        """Return the ages [s] of the newest state and of the newest proposal; inf without one."""
        now = self._clock()
        state_age = command_age = math.inf
        if self.seen is not None:
            state_age = self.seen.age + (0.0 if self._lockstep else now - self.seen.arrival)
        if self.proposal is not None:
            command_age = 0.0 if self._lockstep else now - self.proposal.arrival
        return state_age, command_age

    def health(self, peers: str) -> Health:
        """Return what the monitor cannot see in the state. peers: as in `Health`."""
        state_age, command_age = self.ages()
        return Health(
            state_age=state_age,
            command_age=command_age,
            model_error=self._model_error(),
            planner_failed=self.proposal is not None and self.proposal.failed,
            plant_fault=self.plant_fault,
            peers=peers,
            heard=self._heard_before,
        )

    def _model_error(self) -> float:
        """Return it as it was told last; a model that nobody speaks of any more is not trusted."""
        silent = self._clock() - self._told_at > MODEL_SILENT and self._error[0] >= 0
        return math.inf if silent and not self._lockstep else self._error[1]
