"""Workers as processes: the same in lockstep, and whoever is killed, no trajectory is lost."""

from __future__ import annotations

import errno
import os
import random
import signal
from collections import Counter
from collections.abc import Callable
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from ros_mbmrl.errors import RunError, UserError
from ros_mbmrl.learning.asynchronous import processes
from ros_mbmrl.learning.asynchronous.in_turn import run_in_turn
from ros_mbmrl.learning.asynchronous.job import Job
from ros_mbmrl.learning.asynchronous.processes import (
    Member,
    crew_of,
    run_in_processes,
    run_worker,
    seats_in_processes,
)
from ros_mbmrl.learning.asynchronous.servers import Servers
from ros_mbmrl.networks import tensor_file

MakeJob = Callable[..., Job]


def killing(job: Job, kills: int, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Run a job while its workers are killed, one after the other; return how often each was."""
    killed: Counter[str] = Counter()
    crew: dict[str, Member] = {}
    draw, names = random.Random(0), list(job.names)

    def watched(job: Job, work: processes.Work):  # type: ignore[no-untyped-def]
        context = crew_of(job, work)

        class Watched:
            def __enter__(self) -> dict[str, Member]:
                crew.update(context.__enter__())
                return crew

            def __exit__(self, *error: object) -> None:
                context.__exit__(*error)  # type: ignore[arg-type]

        return Watched()

    progress = [-1]

    def kill(servers: Servers) -> None:
        done = len(servers.data) + (servers.models.latest() or 0) + (servers.policies.latest() or 0)
        if killed.total() >= kills or done <= progress[0] or draw.random() < 0.3:
            return
        progress[0] = done
        name = names[killed.total() % len(names)]
        process = crew[name].process
        if process.is_alive() and process.pid is not None:
            os.kill(process.pid, signal.SIGKILL)
            killed[name] += 1

    monkeypatch.setattr(processes, "crew_of", watched)
    run_in_processes(job, kill)
    return killed


def check_all_there(job: Job) -> None:
    """Assert that there is every trajectory once, with rising versions for each collector."""
    servers = job.servers()
    found = servers.data.since(0)
    assert len(found) == job.trajectories
    assert len(list(servers.data.folder.glob("*.safetensors"))) == job.trajectories
    sessions = [each.rollout.tags["session"] for each in found]
    assert len(set(sessions)) == job.trajectories
    assert len({each.seed for each in found}) == job.trajectories
    for collector in {each.collector for each in found}:
        own = [each for each in found if each.collector == collector]
        versions = [each.policy_version for each in own]
        assert versions == sorted(versions)  # type: ignore[type-var]
        number = [int(each.rollout.tags["session"].split("-")[2]) for each in own]
        assert number == list(range(len(own)))  # none lost, none double


def test_a_killed_worker_is_started_anew_and_nothing_is_lost(
    make_job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = make_job(trajectories=8, collectors=1, pace=4.0)
    killed = killing(job, 3, monkeypatch)
    check_all_there(job)
    assert killed.total() >= 1


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_twenty_kills_at_any_time(make_job: MakeJob, monkeypatch: pytest.MonkeyPatch) -> None:
    job = make_job(trajectories=40, collectors=2)
    killed = killing(job, 20, monkeypatch)
    assert killed.total() == 20 and min(killed.values()) >= 4
    check_all_there(job)


@pytest.mark.slow
def test_in_lockstep_processes_do_what_this_process_does(make_job: MakeJob) -> None:
    here, there = make_job(trajectories=3, folder="here"), make_job(trajectories=3, folder="there")
    run_in_turn(here)
    with seats_in_processes(there) as seats:
        run_in_turn(there, seats=seats)
    ends = []
    for job in (here, there):
        servers = job.servers()
        newest = servers.policies.latest()
        assert newest is not None
        ends.append(tensor_file.load(servers.policies.path(newest) / "policy.safetensors")[0])
    assert all((ends[0][name] == ends[1][name]).all() for name in ends[0])


def test_an_error_of_a_worker_is_one_line_here(make_job: MakeJob, tmp_path: Path) -> None:
    job = make_job(trajectories=2)
    servers = job.servers()
    servers.data.folder.mkdir(parents=True)
    servers.data.path(0).write_bytes(b"no trajectory")
    with pytest.raises(UserError, match=r"000000.safetensors: not a readable tensor file"):
        run_in_processes(job)


class FakeConnection:
    """The child's end of a pipe, in this process."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def send_bytes(self, data: bytes) -> None:
        self.sent.append(data)


def test_a_full_disk_ends_a_worker_with_one_line(
    make_job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = make_job(trajectories=2)

    def full(self: Path, data: object) -> None:
        self.touch()
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(processes, "begin_worker", lambda: None)
    monkeypatch.setattr(Path, "write_text", full)
    told = FakeConnection()
    run_worker(job, "policy", told)  # type: ignore[arg-type]
    (line,) = told.sent
    assert b"RunError" in line and b"No space left on device" in line
    left = [path for path in job.run.rglob("*") if path.is_file()]
    assert not left


def ends_at_once(code: int, job: Job, name: str, connection: Connection) -> None:
    os._exit(code)


@pytest.mark.slow
@pytest.mark.parametrize(("code", "times"), [(3, processes.CRASHES)])
def test_a_worker_that_dies_again_and_again_ends_the_run(
    make_job: MakeJob, code: int, times: int
) -> None:
    member = Member(make_job(), "model", partial(ends_at_once, code))
    member.start()

    def die() -> None:
        while True:
            member.process.join()
            member.look()

    with pytest.raises(RunError, match=f"model died {times} times .* exit status {code}"):
        die()
    assert member.started == times
    member.end()
