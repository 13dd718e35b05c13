"""The policy's worker: the first policy, updates in the newest model, a start where it ended."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from ros_mbmrl.learning.asynchronous.in_turn import run_in_turn
from ros_mbmrl.learning.asynchronous.job import Job
from ros_mbmrl.learning.asynchronous.simulated_time import SimulatedClock
from ros_mbmrl.policies.files import load_policy

MakeJob = Callable[..., Job]


def test_a_first_policy_is_there_before_any_data(make_job: MakeJob) -> None:
    job = make_job()
    worker, servers = job.worker("policy", SimulatedClock()), job.servers()
    assert worker.pull()
    worker.step()
    assert worker.push() == {"behind": 0, "version": 0}
    assert servers.policies.facts(0) == {"model_version": None, "trajectories": 0}
    assert not worker.pull()  # no model yet


@pytest.mark.parametrize("method", ["me_trpo", "mb_mpo"])
def test_an_update_changes_the_policy_and_tells_its_model(make_job: MakeJob, method: str) -> None:
    job = make_job(method, trajectories=3)
    run_in_turn(job)
    servers, robot = job.servers(), job.tasks().robot
    newest = servers.policies.latest()
    assert newest is not None and newest > 0
    worker = job.worker("policy", SimulatedClock())
    assert worker.pull()
    worker.step()
    figures = worker.push()
    assert figures["version"] == newest + 1 and figures["behind"] == 0
    assert figures["imagined"] < 0
    facts = servers.policies.facts(newest + 1)
    assert facts == {"model_version": servers.models.latest(), "trajectories": 3}
    before, after = (load_policy(servers.policies.path(newest + k), robot) for k in range(2))
    assert any(not torch.equal(before.parameters[n], v) for n, v in after.parameters.items())
    seen = torch.cat([torch.from_numpy(t.rollout.states[:-1]) for t in servers.data.since(0)])
    mean = robot.observation(seen).double().mean(0)
    assert after.policy.mean == pytest.approx(mean.float(), abs=1e-5)
    assert after.card["acts"] == ("before_update" if method == "mb_mpo" else "as_trained")
