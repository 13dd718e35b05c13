"""CollectLoop: observe, propose, check, command, record; without ROS, on a twin or a robot."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

from ros_mbmrl.collection.episodes import Event
from ros_mbmrl.collection.recorder import RunRecorder
from ros_mbmrl.collection.requests import Kind, Request
from ros_mbmrl.collection.session import RANDOM, Session
from ros_mbmrl.collection.view import Status
from ros_mbmrl.plants.base import Plant, PlantFault
from ros_mbmrl.robots.estimator import StateEstimator
from ros_mbmrl.robots.measurement import Measurement
from ros_mbmrl.robots.spec import Array, Robot
from ros_mbmrl.runtime.pacing import Pacer
from ros_mbmrl.safety.monitor import SafetyMonitor
from ros_mbmrl.safety.types import Checked, Health, Level

RECENT = 20  # periods over which the rate is computed


class Operator(Protocol):
    """Interface of the operator's devices."""

    @property
    def doubt(self) -> str:
        """Return why pressed keys or buttons do not count; empty if they do."""

    def wait(self, timeout: float) -> bool:
        """Wait up to `timeout` [s] for a request; return whether there is one."""

    def requests(self) -> list[Request]:
        """Return the requests since the last call."""


class Watcher(Protocol):
    """Interface of a display of the run."""

    def told(self, event: Event) -> None:
        """Show that an episode has started or ended."""

    def shown(self, status: Status) -> None:
        """Show the status after a step."""


@dataclass(frozen=True)
class Outcome:
    """Result of a run.

    Args:
        steps: control steps.
        seconds: their time [s].
        levels: number of steps at each level of the safety monitor.
        faults: periods in which the robot did not answer or could not be driven.
        late: periods that ended late.
    """

    steps: int
    seconds: float
    levels: Mapping[str, int]
    faults: int
    late: int


class CollectLoop:
    """Loop that runs a session on a plant, with a safety monitor between them.

    Args:
        now: the plant's clock [s].
        steady: clock that paces the periods [s].
        paced: run a twin in real time even if it is driven at random, for somebody to look at.
    """

    def __init__(
        self,
        robot: Robot,
        plant: Plant,
        session: Session,
        recorder: RunRecorder,
        operator: Operator,
        now: Callable[[], float],
        steady: Callable[[], float],
        watcher: Watcher | None = None,
        paced: bool = False,
    ) -> None:
        self._robot, self._plant, self._session = robot, plant, session
        self._recorder, self._operator = recorder, operator
        self._now, self._steady = now, steady
        self._watcher, self._paced = watcher, paced
        self._monitor = SafetyMonitor(robot)
        self._estimator = StateEstimator(robot)
        self._pacer = Pacer(robot.spec.period, steady)
        self._proposal: Array | None = None
        self._proposed_at = -math.inf
        self._judged_at = 0.0
        self._checked = Checked(robot.spec.action_low, Level.HOLD, ())
        self._measurement: Measurement | None = None
        self._moments: deque[float] = deque(maxlen=RECENT + 1)
        self._levels: Counter[str] = Counter()
        self._steps = self._faults = 0

    @property
    def stopped(self) -> bool:
        """Return whether a stop of the safety monitor is latched."""
        return self._monitor.stopped

    @property
    def reasons(self) -> str:
        """Return the safety monitor's reasons."""
        return "; ".join(self._checked.reasons)

    def run(self, going: Callable[[], bool], duration: float = 0.0) -> Outcome:
        """Step while `going()`, and for `duration` [s] at most if it is not 0."""
        period = self._robot.spec.period
        self._pacer.start()
        try:
            while going() and not (duration > 0 and self._elapsed() >= duration - 1e-9):
                self.step()
        finally:
            self._tell(self._session.interrupt())
        return Outcome(
            steps=self._steps,
            seconds=self._steps * period,
            levels=MappingProxyType(dict(self._levels)),
            faults=self._faults,
            late=self._pacer.overruns,
        )

    def step(self) -> None:
        """Run one period."""
        self._obey()
        try:
            self._answer(self._plant.observe())
        except PlantFault as fault:
            self._rest(str(fault))
        self._moments.append(self._steady())
        if self._watcher is not None:
            self._watcher.shown(self._status())
        self._pass_time()

    def _elapsed(self) -> float:
        return (self._steps + self._faults) * self._robot.spec.period

    def _answer(self, measurement: Measurement) -> None:
        state = self._estimator.update(measurement)
        turn = self._session.step(measurement.time, state, self._monitor.stopped)
        now = measurement.time if self._plant.simulated else self._now()
        if turn.action is not None:
            self._proposal, self._proposed_at = turn.action, now
        health = Health(state_age=measurement.age, command_age=now - self._proposed_at)
        checked = self._monitor.update(now, self._proposal, state, health)
        fault = self._send(checked.action)
        self._judged_at, self._checked, self._measurement = now, checked, measurement
        self._levels[checked.level.name] += 1
        self._steps += 1
        # A state belongs to the episode that is open when it is recorded.
        ended = any(e.kind == "stop" and e.time == measurement.time for e in turn.events)
        if not ended:
            self._tell(turn.events)
        self._recorder.measured(measurement)
        self._recorder.answered(turn.action, checked, self._monitor.stopped)
        if ended:
            self._tell(turn.events)
        if fault:
            self._rest(fault)

    def _send(self, action: Array) -> str:
        """Send a command; return an error, or nothing."""
        try:
            self._plant.command(action)
        except PlantFault as fault:
            return str(fault)
        return ""

    def _rest(self, fault: str) -> None:
        """Stop a robot that does not answer or must not be driven, and report it."""
        self._plant.stop()
        self._faults += 1
        self._judged_at = self._now()
        health = Health(math.inf, math.inf, plant_fault=fault)
        self._checked = self._monitor.update(self._judged_at, None, None, health)
        self._tell(self._session.interrupt())
        self._recorder.judged(self._checked, self._monitor.stopped)

    def _pass_time(self) -> None:
        """Wait for the rest of the period; a twin without an operator need not run in real time."""
        session = self._session
        if self._plant.simulated:
            self._plant.advance(self._robot.spec.period)
            busy = session.returning or not session.waiting
            if session.source == RANDOM and busy and not self._paced:
                self._pacer.start()
                return
        while self._pacer.remaining > 0:
            if self._operator.wait(self._pacer.remaining):
                self._obey()
        self._pacer.next()

    def _obey(self) -> None:
        for request in self._operator.requests():
            if request.kind is Kind.RESET:
                self._monitor.reset(self._judged_at)
                continue
            if request.kind is Kind.HALT:
                self._plant.stop()
                self._monitor.plant_rests()
            self._tell(self._session.request(request))

    def _tell(self, events: tuple[Event, ...]) -> None:
        for event in events:
            self._recorder.happened(event)
            if self._watcher is not None:
                self._watcher.told(event)

    def _status(self) -> Status:
        moments, newest = self._moments, self._measurement
        elapsed = moments[-1] - moments[0]
        return Status(
            robot=self._robot,
            session=self._session,
            level=self._checked.level.name,
            reasons=self._checked.reasons,
            rate=(len(moments) - 1) / elapsed if elapsed > 0 else math.nan,
            age=newest.age if newest else math.nan,
            seconds=self._elapsed(),
            drops={"late": self._pacer.overruns, "faults": self._faults},
            counters=self._plant.counters(),
            hands=self._operator.doubt,
        )
