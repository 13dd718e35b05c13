"""The run's folder is that of the last policy, or of the last model."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ros_mbmrl.dynamics.files import load_model
from ros_mbmrl.errors import RunError
from ros_mbmrl.learning.asynchronous.in_turn import run_in_turn
from ros_mbmrl.learning.asynchronous.job import Job
from ros_mbmrl.learning.asynchronous.result import write_result
from ros_mbmrl.policies.files import load_policy

MakeJob = Callable[..., Job]


def test_a_policy_with_its_curve_and_its_model(make_job: MakeJob) -> None:
    job = make_job("mb_mpo", trajectories=3)
    run_in_turn(job)
    returns = write_result(job)
    robot = job.tasks().robot
    loaded = load_policy(job.run, robot)
    curve = loaded.card["curve"]
    assert [point["mean_return"] for point in curve] == returns
    assert [point["transitions"] for point in curve] == [25, 50, 75]
    assert loaded.card["acts"] == "before_update" and loaded.card["method"] == "mb_mpo"
    assert load_model(job.run / "model", robot).method == "mb"


def test_a_model_that_plans(make_job: MakeJob) -> None:
    job = make_job("mb", trajectories=3, robot="half_cheetah")
    run_in_turn(job)
    assert len(write_result(job)) == 3
    assert load_model(job.run, job.tasks().robot).method == "mb"


def test_a_run_without_a_model_is_a_failed_one(make_job: MakeJob) -> None:
    job = make_job("mb", trajectories=2, robot="half_cheetah")
    with pytest.raises(RunError, match="no model yet: expected more trajectories"):
        write_result(job)
