"""Independent jobs: in this process, in several, or on a cluster."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from ros_mbmrl.errors import RunError

J = TypeVar("J")
R = TypeVar("R")


def outcomes(
    work: Callable[[J], R],
    jobs: Sequence[J],
    workers: int,
    cluster: str = "",
    prepare: Callable[[], None] | None = None,
) -> Iterator[tuple[int, R]]:
    """Yield the number and the result of each job, in the order in which they finish.

    Args:
        work, prepare: functions at the top of a module; every process calls `prepare` first.
        jobs: arguments of `work`.
        workers: processes; 1 runs everything in this one.
        cluster: see `cluster.outcomes`; empty: this machine, without ray.

    Raises:
        RunError: a process died. Errors of `work` are raised, too.
    """
    if cluster:
        from ros_mbmrl.runtime import cluster as ray_cluster

        yield from ray_cluster.outcomes(work, jobs, workers, cluster, prepare)
    elif workers <= 1 or len(jobs) < 2:
        if prepare is not None:
            prepare()
        yield from enumerate(map(work, jobs))
    else:
        yield from _in_processes(work, jobs, workers, prepare)


def _in_processes(
    work: Callable[[J], R],
    jobs: Sequence[J],
    workers: int,
    prepare: Callable[[], None] | None,
) -> Iterator[tuple[int, R]]:
    # A forked process would have locks of MuJoCo's and torch's threads, but not the threads.
    spawn = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(min(workers, len(jobs)), spawn, _begin, (prepare,))
    try:
        pending = {pool.submit(work, job): number for number, job in enumerate(jobs)}
        while pending:
            done, _ = wait(pending, return_when=FIRST_COMPLETED)
            for future in done:
                yield pending.pop(future), future.result()
    except BrokenProcessPool:
        raise RunError("a worker process died: the same command, given again, goes on") from None
    finally:
        pool.shutdown(cancel_futures=True)


def _begin(prepare: Callable[[], None] | None) -> None:
    if prepare is not None:
        prepare()
    begin_worker()


def begin_worker() -> None:
    """Ignore Ctrl-C, which the parent answers, and end when the parent ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
