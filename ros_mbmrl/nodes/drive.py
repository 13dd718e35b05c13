"""DriveLoop: the driver without its messages. Observe, wait for the answer, let time pass."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ros_mbmrl.errors import RunError, UserError
from ros_mbmrl.nodes.catch_up import CatchUp
from ros_mbmrl.nodes.inbox import Arrival, Inbox
from ros_mbmrl.nodes.messages import nanoseconds
from ros_mbmrl.plants.base import Plant, PlantFault, Scheduled
from ros_mbmrl.robots.measurement import Measurement
from ros_mbmrl.robots.spec import Array, RobotSpec
from ros_mbmrl.runtime.pacing import Pacer

RESEND = 0.5  # [s] without an answer in lockstep, after which the observation is sent again


@dataclass(frozen=True)
class DriveConfig:
    """duration: seconds of control after the first command, 0 without end.

    lockstep: wait for each answer as long as it takes, instead of keeping the robot's time.
    startup_timeout: [s] for the first command. answer_timeout: [s] for the others in lockstep.
    delay: [s] after which a command acts that has reached the robot, as far as that is known.
    """

    duration: float = 0.0
    lockstep: bool = False
    startup_timeout: float = 60.0
    answer_timeout: float = 20.0
    delay: float = 0.0

    def __post_init__(self) -> None:
        for name in ("startup_timeout", "answer_timeout"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name}: expected above 0 s, got {getattr(self, name)}")
        for name in ("duration", "delay"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name}: expected 0 s or more, got {getattr(self, name)}")


@dataclass(frozen=True)
class Timing:
    """One period of the driver. See `messages.py` for the values."""

    stamp: int
    period_s: float
    missed: int
    limited: int
    offset_s: float
    delay_s: float
    commanded: tuple[float, ...]
    given: tuple[tuple[float, ...], ...]
    rested_at: float
    missed_deadlines: int
    overruns: int
    rejected: int
    timeouts: int


class DriveLoop:
    """Owns the time of a plant; the executor only fills its inbox.

    A robot is sent each command as it comes. In real time, what a twin does in an interval is
    computed at the interval's end, when it is known at which moment the new command came.
    The seconds of a twin's faults count from the observation that the first command answers which
    is not rest: how long a graph takes to start is another matter every time.
    faulty(reason): the plant has a fault, or is well again (empty); told once a period.
    """

    def __init__(
        self,
        plant: Plant,
        spec: RobotSpec,
        inbox: Inbox,
        config: DriveConfig,
        publish: Callable[[Measurement, Measurement | None], None],
        report: Callable[[Timing], None],
        started: Callable[[], None],
        clock: Callable[[], float],
        faulty: Callable[[str], None] = lambda reason: None,
    ) -> None:
        if config.lockstep and not plant.simulated:
            raise UserError("lockstep: a real robot does not wait: expected plant:=twin")
        self._plant, self._spec, self._inbox, self._config = plant, spec, inbox, config
        self._publish, self._report, self._started, self._clock = publish, report, started, clock
        self._faulty = faulty
        self._previous: Measurement | None = None
        self._began = clock()
        self._observed = math.nan
        self._acted = math.nan  # when the newest command did, after the observation it answers
        self._rest_action = spec.rest
        self._catch_up = CatchUp(spec)
        self._limited = False  # whether a command of this period was
        self._commanded = self._rest_action
        self._given: list[tuple[float, ...]] = []  # since the last report
        self._rested_at = self._began  # since when it has been at rest, on the clock
        self._answered: float | None = None  # when the newest command came; None before the first
        self._begun = False  # whether it has been told that there was one
        self._steps = self._missed = self._timeouts = 0
        self._resting = True
        self._sending = threading.Lock()
        self._halted = False
        self._waiting = plant if isinstance(plant, Scheduled) else None  # until it moves
        if self._waiting is not None:
            self._waiting.faults_from(math.inf)

    def halt(self) -> None:
        """Stop the plant, from another thread; nothing is commanded any more."""
        with self._sending:
            self._halted = True
            self._plant.stop()

    def _give(self, action: Array) -> Array:
        """Command the plant, near to what it was given last if that was the driver's own stop.

        Returns:
            What the plant was given (da,).
        """
        given = self._catch_up.limit(action)
        self._limited |= given is not action
        with self._sending:
            if not self._halted:
                self._plant.command(given)
        return given

    def run(self, stop: threading.Event) -> None:
        """Until `stop`, or for `duration`. Raises RunError if commands do not come."""
        pacer = Pacer(self._spec.period, self._clock)
        while not stop.is_set() and not self._finished():
            try:
                measurement, period = self._observe()
            except PlantFault as fault:
                self._rest(str(fault))
                self._check_start(f": {fault}")
                pacer.wait(stop)
                continue
            if not self._plant.simulated:
                arrivals = self._drive(pacer, stop)
            elif self._config.lockstep:
                arrivals = self._await_answer(measurement, stop)[:1]
            else:
                pacer.wait(stop)
                arrivals = self._inbox.close()
            if stop.is_set():
                return
            if self._plant.simulated:
                self._start_schedule(measurement.time, arrivals)
                self._pass_time(arrivals)
            self._tell(measurement, period, arrivals, pacer.overruns)
            self._check_start()

    def _finished(self) -> bool:
        duration = self._config.duration
        return duration > 0 and self._steps * self._spec.period >= duration - 1e-9

    def _observe(self) -> tuple[Measurement, float]:
        measurement = self._plant.observe()
        now = self._clock()
        period, self._observed = now - self._observed, now
        self._acted, self._limited = math.nan, False
        self._catch_up.next_period(self._commanded)
        self._inbox.open(nanoseconds(measurement.time))
        self._publish(measurement, self._previous)
        self._faulty("")
        return measurement, period

    def _drive(self, pacer: Pacer, stop: threading.Event) -> list[Arrival]:
        """One period of a real robot: it is sent each command as it comes."""
        sent = 0
        while not stop.is_set():
            left, quiet = pacer.remaining, self._silent_from - self._clock()
            if self._inbox.wait(max(0.0, min(left, quiet)), beyond=sent):
                sent, newest = self._inbox.newest()
                self._answered = self._observed + newest.offset
                self._send(newest)
            elif left <= quiet:
                break
            else:
                self._stop_for_silence(self._clock())
        pacer.next()
        return self._inbox.close()

    def _send(self, arrival: Arrival) -> None:
        try:
            given = self._give(arrival.action)
            self._acted = self._clock() - self._observed
            self._note(given, self._clock())
        except PlantFault as fault:
            self._rest(str(fault))

    def _rest(self, reason: str) -> None:
        """The robot cannot be heard or driven: stop it as well as can be, and say so."""
        self._inbox.close()
        self._faulty(reason)
        self._plant.stop()
        self._catch_up.stopped()
        if not self._resting:  # noted once: a robot may stay unheard for hours
            self._note(self._rest_action, self._clock())

    def _note(self, action: Array, now: float) -> None:
        """Note the command that the plant was given, and since when it rests."""
        rests = bool((action == self._rest_action).all())
        if rests and (self._commanded != self._rest_action).any():
            self._rested_at = now
        elif not rests:
            self._rested_at = math.nan
        self._commanded, self._resting = action, rests
        self._given.append((now, *action.tolist()))

    def _await_answer(self, measurement: Measurement, stop: threading.Event) -> list[Arrival]:
        """The first command for this observation, which is sent again until it comes."""
        config = self._config
        patience = config.startup_timeout if self._answered is None else config.answer_timeout
        until = self._clock() + patience
        while not self._inbox.wait(RESEND) and not stop.is_set():
            if self._clock() > until:
                raise RunError(f"lockstep: no command within {patience:g} s")
            self._publish(measurement, self._previous)
        return self._inbox.close()

    def _start_schedule(self, now: float, arrivals: Sequence[Arrival]) -> None:
        """Count the seconds of the plant's faults from now on [s], if this is when it moves."""
        moves = any((arrival.action != self._rest_action).any() for arrival in arrivals)
        if moves and self._waiting is not None:
            self._waiting.faults_from(now)
            self._waiting = None

    def _pass_time(self, arrivals: Sequence[Arrival]) -> None:
        """One period of the plant, each command acting from when it came."""
        period, elapsed = self._spec.period, 0.0
        for arrival in arrivals:
            at = 0.0 if self._config.lockstep else min(arrival.offset, period)
            self._let_pass(elapsed, at)
            elapsed = max(elapsed, at)
            self._acted = elapsed
            self._note(self._give(arrival.action), self._observed + elapsed)
            self._answered = self._observed + arrival.offset
        self._let_pass(elapsed, period)

    def _let_pass(self, begin: float, end: float) -> None:
        """The plant's time from `begin` to `end` [s] of the interval; in silence it stops there."""
        silent = self._silent_from - self._observed
        if begin <= silent < end:
            if silent > begin:
                self._plant.advance(silent - begin)
            self._stop_for_silence(self._observed + silent)
            begin = silent
        if end > begin:
            self._plant.advance(end - begin)

    @property
    def _silent_from(self) -> float:
        """When a robot that is not at rest will have heard nothing for too long, on the clock."""
        if self._answered is None or self._resting or self._config.lockstep:
            return math.inf
        return max(self._observed, self._answered + self._spec.envelope.command_timeout)

    def _stop_for_silence(self, now: float) -> None:
        self._plant.stop()
        self._catch_up.stopped()
        self._note(self._rest_action, now)
        self._timeouts += 1

    def _tell(
        self, measurement: Measurement, period: float, arrivals: Sequence[Arrival], overruns: int
    ) -> None:
        if arrivals and not self._begun:
            self._begun = True
            self._started()
        missed = int(self._answered is not None and not arrivals)
        self._missed += missed
        self._steps += self._answered is not None
        self._previous = measurement
        given, self._given = tuple(self._given), []
        self._report(
            Timing(
                stamp=nanoseconds(measurement.time),
                period_s=period,
                missed=missed,
                limited=int(self._limited),
                offset_s=arrivals[0].offset if arrivals else math.nan,
                delay_s=self._acted + self._config.delay,
                commanded=tuple(self._commanded.tolist()),
                given=given,
                rested_at=self._rested_at,
                missed_deadlines=self._missed,
                overruns=overruns,
                rejected=self._inbox.rejected,
                timeouts=self._timeouts,
            )
        )

    def _check_start(self, why: str = "") -> None:
        patience = self._config.startup_timeout
        if self._answered is None and self._clock() - self._began > patience:
            raise RunError(f"no command within {patience:g} s of the start{why}")
