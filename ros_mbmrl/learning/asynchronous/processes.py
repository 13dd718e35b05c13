"""Driver that runs each worker as a process of this machine: the default.

Processes share nothing but the servers' folders. One that dies is started anew, and goes on where
the servers are.
"""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from types import MappingProxyType

from ros_mbmrl.errors import RunError, UserError
from ros_mbmrl.learning.asynchronous.job import Job
from ros_mbmrl.learning.asynchronous.progress import Told, silent
from ros_mbmrl.learning.asynchronous.worker import Seat, WallClock
from ros_mbmrl.runtime.workers import begin_worker

POLL = 0.2  # [s] between looks at the processes
CRASHES = 3  # of a worker in a row, without a push between them
KILLS = 20  # the same by signals, whose reason lies elsewhere
PATIENCE = 2.0  # [s] for a process to end by itself
_ERRORS: Mapping[str, type[Exception]] = MappingProxyType(
    {"UserError": UserError, "RunError": RunError}
)
Work = Callable[[Job, str, Connection], None]


def run_in_processes(job: Job, told: Told = silent, work: Work | None = None) -> None:
    """Run a job with all workers at once; collection lasts as long as on the robot.

    Args:
        job: to run.
        told: told several times a second.
        work: that each process does; None: it runs its worker.

    Raises:
        RunError: something cannot be written, or a worker dies again and again.
        UserError: something cannot be read.
    """
    servers = job.servers()
    if servers.data.complete:
        return
    with crew_of(job, work or run_worker) as crew:
        while not servers.data.complete:
            wait([each.process.sentinel for each in crew.values()], POLL)
            for each in crew.values():
                each.look()
            told(servers)


@contextmanager
def seats_in_processes(job: Job) -> Iterator[dict[str, Member]]:
    """Start all workers as processes that take a turn when they are told to, for `run_in_turn`."""
    with crew_of(job, serve_worker) as crew:
        yield crew


@contextmanager
def crew_of(job: Job, work: Work) -> Iterator[dict[str, Member]]:
    """Start all workers, and end them when the context is left."""
    crew = {name: Member(job, name, work) for name in job.names}
    try:
        for each in crew.values():
            each.start()
        yield crew
    finally:
        for each in crew.values():
            each.end()


@dataclass
class Member:
    """A worker's process.

    Args:
        job: of the run.
        name: of the worker.
        work: that the process does.
    """

    job: Job
    name: str
    work: Work
    process: SpawnProcess = field(init=False)
    connection: Connection = field(init=False)
    deaths: list[int] = field(default_factory=list)  # exit codes since the last push
    started: int = 0
    _pushed: int = -1

    def start(self) -> None:
        """Start the process."""
        # A forked process would have locks of MuJoCo's and torch's threads, but not the threads.
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        own = (self.job, self.name, theirs)
        self.process = context.Process(target=self.work, args=own, name=self.name, daemon=True)
        self.process.start()
        theirs.close()
        self.started += 1

    def look(self) -> None:
        """Start the process anew if it has died.

        Raises:
            RunError, UserError: what the worker raised.
            RunError: it died too often without a push.
        """
        if self.process.is_alive() or self.job.servers().data.complete:
            return
        self._raise()
        pushed = self._count()
        self.deaths = [*self.deaths, self._code()] if pushed == self._pushed else [self._code()]
        self._pushed = pushed
        crashes = sum(code >= 0 for code in self.deaths)
        if crashes >= CRASHES or len(self.deaths) >= KILLS:
            raise RunError(
                f"worker {self.name} died {len(self.deaths)} times without a result, the last "
                f"time with exit status {self.deaths[-1]}; the same command goes on"
            )
        self.start()

    def turn(self) -> bool:
        """See `Runs.turn`; the process takes it.

        Raises:
            RunError, UserError: what the worker raised.
        """
        try:
            self.connection.send_bytes(b"turn")
            return self.connection.recv_bytes() == b"acted"
        except (EOFError, OSError):
            self.process.join()
            self._raise()
            raise RunError(
                f"worker {self.name} died (exit status {self._code()}); the same command goes on"
            ) from None

    def end(self) -> None:
        """End the process; what it was at is done anew by the next one."""
        if not hasattr(self, "process"):
            return
        if self.job.servers().data.complete:
            self.process.join(PATIENCE)
        self.process.terminate()
        self.process.join(PATIENCE)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        self.connection.close()

    def _code(self) -> int:
        self.process.join()
        return self.process.exitcode or 0

    def _count(self) -> int:
        """Return a number that grows with each push of this worker."""
        servers = self.job.servers()
        server = {"model": servers.models, "policy": servers.policies}.get(self.name)
        if server is None:
            return len(servers.data)
        newest = server.latest()
        return -1 if newest is None else newest

    def _raise(self) -> None:
        """Raise the error that the process told before it ended, if it did."""
        try:
            told = json.loads(self.connection.recv_bytes()) if self.connection.poll() else None
        except (EOFError, OSError, ValueError):
            return
        if told is not None:
            raise _ERRORS[told["kind"]](told["message"])


def run_worker(job: Job, name: str, connection: Connection) -> None:
    """Run a worker until the run is over: the work of a process."""
    with telling(connection):
        seat = _seat(job, name, paced=True)
        seat.run(job.asynchronous.poll)


def serve_worker(job: Job, name: str, connection: Connection) -> None:
    """Take a turn whenever the driver asks for one: the work of a process."""
    with telling(connection):
        seat = _seat(job, name, paced=False)
        while True:
            try:
                connection.recv_bytes()
            except (EOFError, OSError):  # the driver has ended
                return
            connection.send_bytes(b"acted" if seat.turn() else b"idle")


def _seat(job: Job, name: str, paced: bool) -> Seat:
    import torch

    torch.set_num_threads(1)  # the workers share the machine
    clock = WallClock()
    return Seat(job.worker(name, clock), job.servers(), clock, paced)


@contextmanager
def telling(connection: Connection) -> Iterator[None]:
    """Tell the driver of an error that has one line for people, in place of a trace."""
    begin_worker()
    try:
        yield
    except (UserError, RunError) as error:
        kind = "UserError" if isinstance(error, UserError) else "RunError"
        connection.send_bytes(json.dumps({"kind": kind, "message": str(error)}).encode())
