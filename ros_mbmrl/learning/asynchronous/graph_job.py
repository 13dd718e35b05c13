"""An asynchronous run whose collector is a running ROS graph: of a twin, or of a robot.

The worker that collects is the supervisor of the graph: if it is killed, so are the nodes, and the
robot rests.
"""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, NoReturn

from ros_mbmrl.errors import RunError, UserError
from ros_mbmrl.learning.asynchronous.files import read_json
from ros_mbmrl.learning.asynchronous.job import MODEL, POLICY, Job
from ros_mbmrl.learning.asynchronous.processes import run_in_processes, run_worker, telling
from ros_mbmrl.learning.asynchronous.progress import Told, silent
from ros_mbmrl.policies.sampling import Tasks
from ros_mbmrl.robots import make_robot
from ros_mbmrl.supervisor import Summary, launch

GRAPH = "graph-0"
LOG = "graph.log"  # the lines of the nodes, in the run's folder
RECORDINGS = "recordings"
ALONE = 5.0  # [s] without a word of the graph before, until the next one starts
LOOK = 0.2  # [s]
LAST = 50  # lines of the log, among which a node says why it has ended
# What the run itself decides.
DECIDED = ("robot", "learning", "episode_seconds", "trajectories", "lockstep", "duration")


@dataclass(frozen=True)
class GraphJob(Job):
    """A `Job` whose collector is the graph of `mbmrl launch adapt`.

    Args:
        words: `name:=value` arguments of the launch.
    """

    words: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raise ValueError or UserError as `Job` does, and for words that the run decides."""
        super().__post_init__()
        if self.collectors != 1:
            raise ValueError(f"collectors: expected 1, a graph drives one robot: {self.collectors}")
        for word in self.words:
            name, sign, _ = word.partition(":=")
            if not sign:
                raise UserError(f"graph: expected name:=value, got '{word}'")
            if name in DECIDED:
                raise UserError(f"graph: {name} is decided by the run: expected no '{word}'")

    @property
    def names(self) -> tuple[str, ...]:
        """See `Job.names`."""
        return (GRAPH, MODEL) if self.plans else (GRAPH, MODEL, POLICY)

    def tasks(self) -> Tasks:
        """See `Job.tasks`; a model and its planner need no simulation."""
        if not self.plans:
            return super().tasks()
        return Tasks(make_robot(self.robot), _none, _none)

    @property
    def launch_words(self) -> list[str]:
        """Return the words of the next launch; its recording is a new file in the run's folder."""
        given = {word.partition(":=")[0] for word in self.words}
        seconds = self.steps * make_robot(self.robot).spec.period
        words = [
            f"robot:={self.robot}",
            f"learning:={self.run}",
            f"episode_seconds:={seconds:g}",
            f"trajectories:={self.trajectories}",
        ]
        if not self.plans and "controller" not in given:
            words.append("controller:=policy")
        if not {"record", "recording", "report"} & given:
            folder = self.run / RECORDINGS
            number = sum(1 for _ in folder.glob("*.mcap"))
            words.append(f"recording:={folder / f'graph-{number:03d}.mcap'}")
        return [*words, *self.words]


def run_with_graph(job: GraphJob, told: Told = silent) -> None:
    """Run a job: its workers as processes, and the graph.

    Raises:
        RunError: see `run_in_processes`.
        UserError: something cannot be read, or the graph refuses its arguments.
    """
    run_in_processes(job, told, work=work_or_drive)


def work_or_drive(job: Job, name: str, connection: Connection) -> None:
    """Run a worker, or the graph: the work of a process."""
    if name != GRAPH or not isinstance(job, GraphJob):
        run_worker(job, name, connection)
        return
    with telling(connection):
        drive(job)


def drive(
    job: GraphJob,
    start: Callable[..., Summary] = launch,
    clock: Callable[[], float] = time.time,
    wait: Callable[[float], None] = time.sleep,
) -> None:
    """Run the graph until the run has its trajectories.

    Args:
        job: of the run.
        start: launches a graph.
        clock: returns seconds, as heartbeats tell them.
        wait: waits so many seconds.

    Raises:
        UserError: the graph refuses its arguments.
        SystemExit: it failed; whoever started this process starts it anew.
    """
    beat = job.servers().heartbeat(GRAPH)
    while clock() - float(read_json(beat).get("told", 0.0)) < ALONE:
        wait(LOOK)  # the nodes of one that was killed are still ending
    last: deque[str] = deque(maxlen=LAST)
    with (job.run / LOG).open("a") as log:

        def echo(line: str) -> None:
            last.append(line)
            print(line, file=log, flush=True)

        summary = start("adapt", job.launch_words, echo=echo)
    if summary.status == 2:
        raise UserError(f"graph: {said(summary.reason, last) or summary.reason}")
    if summary.status != 0:
        sys.exit(1)
    if not job.servers().data.complete and summary.reason != "interrupted":
        raise RunError(f"the graph ended before the run: {summary.reason}; see {job.run / LOG}")


def said(reason: str, lines: Iterable[str]) -> str:
    """Return what the node that ended a graph said last; empty for nothing.

    Args:
        reason: for the end, which begins with the node's name.
        lines: of the nodes, each with its name in front.
    """
    start = f"[{reason.partition(' ')[0]}] "
    own = [line.removeprefix(start) for line in lines if line.startswith(start)]
    return next((line for line in reversed(own) if not line.startswith("ended with")), "")


def _none(*_: Any) -> NoReturn:
    raise RunError("a robot that a graph drives is not simulated here")
