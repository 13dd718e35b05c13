"""Jobs as tasks of ray, on this machine or on many (the extra `cluster`).

Every node has this package, in this version, and sees the files that jobs name under the same
paths. Ray sends functions and jobs pickled, between processes of its own: see SECURITY.md.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any, TypeVar

from ros_mbmrl import __version__
from ros_mbmrl.errors import RunError, UserError

J = TypeVar("J")
R = TypeVar("R")

LOCAL = "local"


def outcomes(
    work: Callable[[J], R],
    jobs: Sequence[J],
    workers: int,
    address: str,
    prepare: Callable[[], None] | None = None,
) -> Iterator[tuple[int, R]]:
    """Yield results of jobs that run on a ray cluster; see `workers.outcomes`.

    Args:
        work, jobs, prepare: see there.
        workers: processes of a `local` cluster.
        address: of a ray cluster, `auto` for this machine's own, or `local` for a new one that ends
            with this process. Raises UserError if there is none.
    """
    with connected(address, workers) as ray:
        task = ray.remote(num_cpus=1)(_run)
        pending = {
            task.remote(work, job, prepare, __version__): number for number, job in enumerate(jobs)
        }
        while pending:
            done, _ = ray.wait(list(pending))
            for reference in done:
                yield pending.pop(reference), ray.get(reference)


@contextmanager
def connected(address: str, workers: int) -> Iterator[Any]:
    """Connect to a ray cluster for as long as the context lasts; yield the library.

    Args:
        address, workers: see `outcomes`.

    Raises:
        UserError: there is no cluster, or ray is not installed.
        RunError: the cluster failed. Errors that a task raises are raised as they are.
    """
    ray = _connect(address, workers)
    try:
        yield ray
    except ray.exceptions.RayTaskError as error:
        raise error.cause from None  # the error that the task raised
    except ray.exceptions.RayError as error:
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise RunError(f"cluster {address}: {first}; the same command goes on") from None
    finally:
        ray.shutdown()


def _connect(address: str, workers: int) -> Any:
    try:
        ray: Any = import_module("ray")
    except ImportError:
        raise UserError(
            "--cluster needs ray: expected the extra, pip install 'ros_mbmrl[cluster]'"
        ) from None
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # it would send statistics
    began = time.monotonic()
    own = {"num_cpus": workers, "include_dashboard": False} if address == LOCAL else {}
    try:
        ray.init(address=address, log_to_driver=False, logging_level="ERROR", **own)
    except (ConnectionError, ValueError, RuntimeError) as error:
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        waited = time.monotonic() - began
        raise UserError(f"cluster '{address}': {first}; waited {waited:.0f} s") from None
    return ray


def _run(work: Callable[[J], R], job: J, prepare: Callable[[], None] | None, version: str) -> R:
    """Run one job, on any node."""
    if version != __version__:
        raise RunError(f"a node has ros_mbmrl {__version__}: expected {version}")
    if prepare is not None:
        prepare()
    return work(job)
