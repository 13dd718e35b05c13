"""Drivers in simulated time: the wall clock of a run, computed on one core without waiting.

A step of a worker that computes lasts as long as the processor was busy with it; a trajectory lasts
as long as on the robot (thesis, section 8.4.1). Each worker has a processor of its own.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ros_mbmrl.errors import RunError
from ros_mbmrl.learning.asynchronous.in_turn import run_in_turn, seats_here
from ros_mbmrl.learning.asynchronous.job import Job
from ros_mbmrl.learning.asynchronous.progress import Told, silent
from ros_mbmrl.learning.asynchronous.schedules import Schedule, Sizes
from ros_mbmrl.learning.asynchronous.servers import Servers
from ros_mbmrl.learning.asynchronous.worker import Seat

Timer = Callable[[], float]  # processor seconds of this thread


@dataclass
class SimulatedClock:
    """Time that passes only when a driver says so; see `Clock`."""

    time: float = 0.0

    def now(self) -> float:
        """See `Clock.now`."""
        return self.time

    def wait(self, seconds: float) -> None:
        """See `Clock.wait`."""
        self.time += max(0.0, seconds)


@dataclass
class TimedSeat:
    """A seat whose turns move the clock on by what they last.

    Args:
        seat: of the worker.
        clock: the seat's.
        timer: measures what is computed.
    """

    seat: Seat
    clock: SimulatedClock
    timer: Timer = time.thread_time

    def turn(self) -> bool:
        """See `Runs.turn`."""
        began = self.clock.time
        lasted = self.begin()
        self.clock.time = began + lasted[1]
        if lasted[0]:
            self.clock.time += self.end(began)
        return lasted[0]

    def begin(self) -> tuple[bool, float]:
        """Pull and step; return whether there was something to do, and how long it lasts [s]."""
        before = self.timer()
        acted = self.seat.begin()
        return acted, (acted and self.seat.worker.lasts) or self.timer() - before

    def end(self, began: float) -> float:
        """Push; return how long that lasts [s]; nothing on a robot, which moves meanwhile."""
        before = self.timer()
        self.seat.end(began)
        return 0.0 if self.seat.worker.lasts else self.timer() - before


def run_in_simulated_time(job: Job, told: Told = silent, timer: Timer = time.thread_time) -> float:
    """Run a job with all workers at once, by discrete events.

    Args:
        job: to run.
        told: told after each push; the trajectories tell the simulated time.
        timer: measures what is computed [s].

    Returns:
        The time at the end [s].

    Raises:
        RunError: all workers wait for each other.
        UserError: something cannot be read.
    """
    servers = job.servers()
    clock = SimulatedClock(last_time(servers))
    seats = seats_here(job, clock)
    return _Events({k: TimedSeat(s, clock, timer) for k, s in seats.items()}, clock).run(
        servers, told
    )


def run_in_order(
    job: Job,
    schedule: Schedule,
    sizes: Sizes,
    told: Told = silent,
    timer: Timer = time.thread_time,
) -> float:
    """Run a job with one worker at a time in the order of a schedule; see `run_in_turn`.

    Returns:
        The time at the end [s].
    """
    clock = SimulatedClock(last_time(job.servers()))
    seats = {k: TimedSeat(s, clock, timer) for k, s in seats_here(job, clock).items()}
    run_in_turn(job, schedule, sizes, seats, told)
    return clock.time


def last_time(servers: Servers) -> float:
    """Return the time at which the last trajectory ended [s]; 0 before the first."""
    count = len(servers.data)
    return float(servers.data.facts(count - 1)["ended"]) if count else 0.0


@dataclass
class _Events:
    """Turns of all workers in the order of time: a worker begins, and later pushes."""

    seats: Mapping[str, TimedSeat]
    clock: SimulatedClock
    due: list[tuple[float, int, str, float | None]] = field(default_factory=list)
    idle: dict[str, float] = field(default_factory=dict)  # since when [s]
    _count: int = 0

    def run(self, servers: Servers, told: Told) -> float:
        """Go from event to event until the run has all its trajectories."""
        for name in self.seats:
            self._add(self.clock.time, name)
        while not servers.data.complete:
            if not self.due:
                raise RunError("all workers wait for each other: expected one that can begin")
            now, _, name, began = heapq.heappop(self.due)
            self.clock.time = now
            if began is None:
                self._begin(name, now)
                continue
            lasted = self.seats[name].end(began)
            self._add(now + lasted, name)
            for waiting, since in self.idle.items():  # there is something new for them
                self.seats[waiting].seat.idle += now - since
                self._add(now, waiting)
            self.idle.clear()
            told(servers)
        return self.clock.time

    def _begin(self, name: str, now: float) -> None:
        """Let a worker pull and step at `now`; its push is due when the step is over."""
        acted, lasts = self.seats[name].begin()
        if acted:
            self._add(now + lasts, name, now)
        else:
            self.idle[name] = now

    def _add(self, time: float, name: str, began: float | None = None) -> None:
        """Add an event: of a step that began at `began`, its end; else a beginning."""
        self._count += 1  # among equals, who came first
        heapq.heappush(self.due, (time, self._count, name, began))
