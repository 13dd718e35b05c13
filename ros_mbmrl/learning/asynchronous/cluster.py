"""Driver on Ray (the extra `cluster`): each worker is an actor, on this machine or on many.

The run's folder is on a disk that all machines see under the same path; every machine has this
package, in this version. See `runtime/cluster.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ros_mbmrl import __version__
from ros_mbmrl.errors import RunError
from ros_mbmrl.learning.asynchronous.job import MODEL, Job
from ros_mbmrl.learning.asynchronous.progress import Told, silent
from ros_mbmrl.learning.asynchronous.worker import Seat, WallClock
from ros_mbmrl.runtime.cluster import connected

POLL = 0.2  # [s] between looks at the actors
DEATHS = 20  # of actors without a trajectory between them


class Stand:
    """A worker on a node of the cluster.

    It is made when it is first used: an error of an actor's making would be ray's, not its own.

    Args:
        job: of the run.
        name: of the worker.
        version: of this package on the machine that drives the run.
        paced: see `Seat`.
    """

    def __init__(self, job: Job, name: str, version: str, paced: bool) -> None:
        self._job, self._name, self._version, self._paced = job, name, version, paced
        self._made: Seat | None = None

    def turn(self) -> bool:
        """See `Runs.turn`.

        Raises:
            RunError: the node has another version.
        """
        return self._seat().turn()

    def run(self) -> None:
        """Take turns until the run is over.

        Raises:
            RunError: the node has another version.
        """
        self._seat().run(self._job.asynchronous.poll)

    def _seat(self) -> Seat:
        if self._made is None:
            if self._version != __version__:
                raise RunError(f"a node has ros_mbmrl {__version__}: expected {self._version}")
            clock, servers = WallClock(), self._job.servers()
            worker = self._job.worker(self._name, clock)
            self._made = Seat(worker, servers, clock, self._paced)
        return self._made


class RemoteSeat:
    """A seat on the cluster, for `run_in_turn`.

    Args:
        ray: the library.
        actor: of the worker.
    """

    def __init__(self, ray: Any, actor: Any) -> None:
        self._ray, self._actor = ray, actor

    def turn(self) -> bool:
        """See `Runs.turn`."""
        return bool(self._ray.get(self._actor.turn.remote()))


def run_on_cluster(job: Job, address: str, gpus: int = 0, told: Told = silent) -> None:
    """Run a job with all workers at once, on a ray cluster.

    Args:
        job: to run.
        address: see `runtime.cluster.outcomes`.
        gpus: number of GPUs that the model's worker is placed with.
        told: told several times a second.

    Raises:
        UserError: there is no cluster, or something cannot be read.
        RunError: something cannot be written, or workers die again and again.
    """
    servers = job.servers()
    with connected(address, len(job.names)) as ray:
        actors = {name: _actor(ray, job, name, gpus, paced=True) for name in job.names}
        running = {actors[name].run.remote(): name for name in job.names}
        deaths, count = 0, len(servers.data)
        while not servers.data.complete:
            done, _ = ray.wait(list(running), timeout=POLL)
            for reference in done:
                name = running.pop(reference)
                try:
                    ray.get(reference)
                except ray.exceptions.RayTaskError:
                    raise  # an error of the worker, which it would meet again
                except ray.exceptions.RayError as error:  # the actor or its node has died
                    deaths = deaths + 1 if len(servers.data) == count else 1
                    count = len(servers.data)
                    if deaths >= DEATHS:
                        raise RunError(f"worker {name} died again and again: {error}") from None
                actors[name] = _actor(ray, job, name, gpus, paced=True)
                running[actors[name].run.remote()] = name
            told(servers)


@contextmanager
def seats_on_cluster(job: Job, address: str, gpus: int = 0) -> Iterator[dict[str, RemoteSeat]]:
    """Start all workers on a ray cluster, each waiting for its turns; see `run_on_cluster`."""
    with connected(address, len(job.names)) as ray:
        yield {
            name: RemoteSeat(ray, _actor(ray, job, name, gpus, paced=False)) for name in job.names
        }


def _actor(ray: Any, job: Job, name: str, gpus: int, paced: bool) -> Any:
    """Start a worker as an actor; only the model's computes on a GPU."""
    resources = {"num_cpus": 1, "num_gpus": gpus if name == MODEL else 0}
    return ray.remote(**resources)(Stand).remote(job, name, __version__, paced)
