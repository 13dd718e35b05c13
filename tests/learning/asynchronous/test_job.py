"""A job says who works in a run, and refuses what cannot run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.learning.asynchronous.job import Job, improvers
from ros_mbmrl.learning.asynchronous.simulated_time import SimulatedClock

MakeJob = Callable[..., Job]


def test_who_works_in_a_run(make_job: MakeJob) -> None:
    assert make_job(collectors=2).names == ("collector-0", "collector-1", "model", "policy")
    plans = make_job("mb", robot="half_cheetah")
    assert plans.plans and plans.names == ("collector-0", "model")
    for job in (make_job(), plans):
        for name in job.names:
            assert job.worker(name, SimulatedClock()).name == name


def test_trajectories_are_said_or_follow_from_the_budget(make_job: MakeJob) -> None:
    job = make_job(trajectories=7)
    assert (job.trajectories, job.steps) == (7, 25)
    free = replace(job, asynchronous=replace(job.asynchronous, trajectories=0, steps=0))
    free = replace(free, settings=replace(free.settings, budget=500, horizon=50))
    assert (free.trajectories, free.steps) == (10, 50)


def test_another_run_is_refused_and_a_longer_one_goes_on(make_job: MakeJob) -> None:
    job = make_job(trajectories=4)
    job.keep()
    make_job(trajectories=9).keep()
    with pytest.raises(UserError, match=r"another run: asynchronous.ema_weight was 0.9, now 0.5"):
        make_job(ema_weight=0.5).keep()
    with pytest.raises(UserError, match=r"another run: settings.seed was 0, now 3"):
        replace(job, settings=replace(job.settings, seed=3)).keep()


def test_what_cannot_run_is_refused(make_job: MakeJob) -> None:
    with pytest.raises(UserError, match="'maac' has no asynchronous form: expected .*me_trpo"):
        replace(make_job(), method="maac")
    with pytest.raises(ValueError, match="buffer: expected at least 50 transitions"):
        make_job(buffer=49)
    with pytest.raises(ValueError, match="collectors: expected at least 1, got 0"):
        make_job(collectors=0)
    with pytest.raises(ValueError, match="settings: expected a TrainConfig"):
        replace(make_job(), method="mb")


def test_every_improver_in_models_has_an_asynchronous_form() -> None:
    expected = {"me_trpo", "me_ppo", "mb_mpo", "bptt", "one_model_vpg", "one_model_trpo"}
    assert set(improvers()) >= expected
