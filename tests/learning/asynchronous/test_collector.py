"""Collectors: who acts, what is told of a trajectory, and draws that depend on the seed alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from torch import Generator

from ros_mbmrl.agents.chance import RandomAgent
from ros_mbmrl.agents.model import ModelAgent
from ros_mbmrl.agents.policy import ExploringAgent
from ros_mbmrl.errors import RunError
from ros_mbmrl.learning.asynchronous import collector
from ros_mbmrl.learning.asynchronous.collector import Collector, PlannerActor
from ros_mbmrl.learning.asynchronous.in_turn import run_in_turn
from ros_mbmrl.learning.asynchronous.job import Job
from ros_mbmrl.learning.asynchronous.simulated_time import SimulatedClock
from ros_mbmrl.learning.policies.real_data import Gathered

MakeJob = Callable[..., Job]


def collector_of(job: Job, number: int = 0) -> Collector:
    made = job.worker(f"collector-{number}", SimulatedClock(7.0))
    assert isinstance(made, Collector)
    return made


def test_it_waits_for_a_policy_and_tells_how_a_trajectory_came_about(make_job: MakeJob) -> None:
    job = make_job(trajectories=2, pace=2.0)
    collecting = collector_of(job)
    assert not collecting.pull()
    policy = job.worker("policy", SimulatedClock())
    assert policy.pull()
    policy.step()
    policy.push()
    assert collecting.pull()
    collecting.step()
    figures = collecting.push()
    (made,) = job.servers().data.since(0)
    lasts = 25 * 0.05 / 2.0  # steps, period [s], pace
    assert collecting.lasts == pytest.approx(lasts)
    assert (made.began, made.ended) == (7.0, pytest.approx(7.0 + lasts))
    assert (made.collector, made.model_version, made.policy_version) == ("collector-0", None, 0)
    assert figures["return"] == made.episode_return < 0
    assert figures["length"] == len(made.rollout) == 25
    assert collecting.versions == {"policy": 0}


def test_draws_depend_on_seed_collector_and_number_alone(make_job: MakeJob) -> None:
    states = {}
    for folder, seed, number in (("a", 0, 0), ("b", 0, 0), ("c", 1, 0), ("d", 0, 1)):
        job = make_job(folder=folder, collectors=2)
        job = replace(job, settings=replace(job.settings, seed=seed))
        first = job.worker("policy", SimulatedClock())
        first.pull(), first.step(), first.push()  # noqa: B018
        for _ in range(2):  # the second one of a collector that was started anew
            collecting = collector_of(job, number)
            collecting.pull(), collecting.step(), collecting.push()  # noqa: B018
        found = job.servers().data.since(0)
        assert (found[0].rollout.states != found[1].rollout.states).any()
        states[folder] = found[1].rollout.states
    assert (states["a"] == states["b"]).all()
    assert (states["a"] != states["c"]).any() and (states["a"] != states["d"]).any()


def test_mb_mpo_acts_by_chance_before_there_is_a_model(make_job: MakeJob) -> None:
    job = make_job("mb_mpo", trajectories=4)
    run_in_turn(job)
    actor = collector_of(job)._actor
    assert actor.pull()
    generator = Generator()
    assert isinstance(actor.agent(generator), ExploringAgent)
    actor.model_version = None
    assert isinstance(actor.agent(generator), RandomAgent)


def test_model_and_planner_are_the_policy(make_job: MakeJob) -> None:
    job = make_job("mb", trajectories=2, robot="half_cheetah")
    run_in_turn(job)
    generator = Generator()
    actor = PlannerActor(job.servers(), job.tasks().robot, job.steps)
    assert isinstance(actor.agent(generator), RandomAgent)
    model = job.worker("model", SimulatedClock())
    assert model.pull()
    model.step()
    model.push()
    assert actor.pull() and actor.model_version == 0
    assert isinstance(actor.agent(generator), ModelAgent)


def test_a_robot_that_is_stopped_at_once_ends_the_run(
    make_job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = make_job()
    policy = job.worker("policy", SimulatedClock())
    policy.pull(), policy.step(), policy.push()  # noqa: B018
    collecting = collector_of(job)
    monkeypatch.setattr(collector, "gather_by", lambda *_: Gathered([], None))  # type: ignore[arg-type]
    assert collecting.pull()
    with pytest.raises(RunError, match="collector-0: 100 times the robot was stopped at once"):
        collecting.step()
