"""Driver that lets one worker act at a time, in the order of a schedule: the lockstep mode.

Seats may be in this process, in others, or on a cluster: the results are the same, since a worker's
draws depend on the seed and on what the servers hold.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ros_mbmrl.errors import RunError
from ros_mbmrl.learning.asynchronous.files import read_json, write_json
from ros_mbmrl.learning.asynchronous.job import MODEL, POLICY, Job
from ros_mbmrl.learning.asynchronous.progress import Told, silent
from ros_mbmrl.learning.asynchronous.schedules import (
    COLLECT,
    FIT,
    Schedule,
    Sizes,
    in_turn,
)
from ros_mbmrl.learning.asynchronous.worker import Clock, Runs, Seat, WallClock

PATIENCE = 100  # turns of each worker without anything to do
POSITION = "schedule.json"  # turns that were taken, in the run's folder


def run_in_turn(
    job: Job,
    schedule: Schedule = in_turn,
    sizes: Sizes | None = None,
    seats: Mapping[str, Runs] | None = None,
    told: Told = silent,
) -> None:
    """Run a job to its end; an interrupted run goes on where it was.

    Args:
        job: to run.
        schedule: order of the turns.
        sizes: of its rounds; None: 1 of each.
        seats: the workers, by name; None: in this process, as fast as they compute.
        told: told after each turn.

    Raises:
        RunError: something cannot be written, or no worker has anything to do.
        UserError: something cannot be read.
    """
    servers, path = job.servers(), job.run / POSITION
    seats = seats or seats_here(job)
    taken, done, waiting = int(read_json(path).get("turns", 0)), 0, 0
    for name in names_of(job, schedule(sizes or Sizes())):
        if servers.data.complete:
            break
        done += 1
        if done <= taken:  # before the run was interrupted
            continue
        acted = seats[name].turn()
        waiting = 0 if acted else waiting + 1
        if waiting > PATIENCE * len(job.names):
            raise RunError("no worker has anything to do: expected a schedule that collects")
        write_json(path, {"turns": done})
        told(servers)


def seats_here(job: Job, clock: Clock | None = None) -> dict[str, Seat]:
    """Return seats of all workers in this process."""
    clock = clock or WallClock()
    servers = job.servers()
    return {name: Seat(job.worker(name, clock), servers, clock) for name in job.names}


def names_of(job: Job, schedule: Iterator[tuple[str, int]]) -> Iterator[str]:
    """Yield the name of who has the next turn; collectors take theirs one after the other."""
    collectors, next_one = job.names[: job.collectors], 0
    for kind, count in schedule:
        for _ in range(count):
            if kind == COLLECT:
                yield collectors[next_one % len(collectors)]
                next_one += 1
            elif kind == FIT:
                yield MODEL
            elif not job.plans:
                yield POLICY
