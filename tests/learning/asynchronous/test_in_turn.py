"""Lockstep: equal seeds give equal results, and a resumed run equals an unbroken one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from ros_mbmrl.errors import RunError
from ros_mbmrl.learning.asynchronous.in_turn import names_of, run_in_turn, seats_here
from ros_mbmrl.learning.asynchronous.job import Job
from ros_mbmrl.learning.asynchronous.schedules import FIT, Sizes, in_turn, synchronous
from ros_mbmrl.learning.asynchronous.servers import Servers
from ros_mbmrl.networks import tensor_file

MakeJob = Callable[..., Job]


def end_of(job: Job) -> dict[str, torch.Tensor]:
    """Return the tensors of the newest policy, or of the newest model, and all states."""
    servers = job.servers()
    server, name = servers.policies, "policy.safetensors"
    if job.plans:
        server, name = servers.models, "model.safetensors"
    newest = server.latest()
    assert newest is not None
    tensors, _ = tensor_file.load(server.path(newest) / name)
    for n, trajectory in enumerate(servers.data.since(0)):
        tensors[f"states/{n}"] = torch.from_numpy(trajectory.rollout.states)
    return tensors


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize("method", ["me_trpo", "me_ppo", "mb_mpo", "mb", "grbal"])
def test_an_interrupted_run_ends_as_an_unbroken_one(make_job: MakeJob, method: str) -> None:
    robot = "half_cheetah" if method in ("mb", "grbal") else "pendulum"
    whole = make_job(method, trajectories=4, folder="whole", robot=robot)
    run_in_turn(whole)
    servers = whole.servers()
    assert len(servers.data) == 4
    assert servers.models.latest() is not None

    broken, left = make_job(method, trajectories=4, folder="broken", robot=robot), [5]

    def stop(servers: Servers) -> None:
        left[0] -= 1
        if not left[0]:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_in_turn(broken, told=stop)
    assert len(broken.servers().data) < 4
    run_in_turn(broken)
    if method != "me_ppo":  # Adam's moments are of one process
        assert same(end_of(broken), end_of(whole))
    assert same(end_of(whole), end_of(whole))
    other = make_job(method, trajectories=4, folder="other", robot=robot)
    other = replace(other, settings=replace(other.settings, seed=1))
    run_in_turn(other)
    assert not same(end_of(other), end_of(whole))


def test_the_versions_of_each_trajectory_are_kept(make_job: MakeJob) -> None:
    job = make_job(trajectories=4)
    run_in_turn(job)
    facts = [job.servers().data.facts(n) for n in range(4)]
    assert [each["collector"] for each in facts] == ["collector-0"] * 4
    versions = [each["policy_version"] for each in facts]
    assert versions == sorted(versions) and versions[0] == 0
    assert facts[0]["model_version"] is None
    assert facts[-1]["model_version"] is not None


def test_collectors_take_their_turns_one_after_the_other(make_job: MakeJob) -> None:
    job = make_job(trajectories=4, collectors=2)
    names = names_of(job, in_turn(Sizes()))
    assert [next(names) for _ in range(6)] == [
        *("collector-0", "model", "policy"),
        *("collector-1", "model", "policy"),
    ]
    run_in_turn(job, synchronous, Sizes(rollouts=2, epochs=3, updates=2))
    found = [job.servers().data.facts(n)["collector"] for n in range(4)]
    assert found == ["collector-0", "collector-1"] * 2


def test_a_schedule_that_never_collects_is_a_failed_run(
    make_job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = make_job(trajectories=2)

    def never(sizes: Sizes):  # type: ignore[no-untyped-def]
        while True:
            yield FIT, 1

    with pytest.raises(RunError, match="no worker has anything to do"):
        run_in_turn(job, never)


def test_heartbeats_tell_how_each_worker_is(make_job: MakeJob, tmp_path: Path) -> None:
    job = make_job(trajectories=3)
    seats = seats_here(job)
    run_in_turn(job, seats=seats)
    beats = job.servers().heartbeats()
    assert set(beats) == {"collector-0", "model", "policy"}
    assert seats["collector-0"].turns == 3
    assert seats["model"].figures["validation_loss"] > 0
    state = seats["policy"].state(now=1.0)
    assert state["versions"]["policy"] == job.servers().policies.latest()
    assert state["turns"] == seats["policy"].turns and state["told"] == 1.0
