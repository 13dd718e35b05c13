"""Runs of the study: each arm on each environment, in simulated time, tested as it goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ros_mbmrl.errors import UserError
from ros_mbmrl.evaluation.asynchronous.description import ARMS, Arm, Scale, describe
from ros_mbmrl.evaluation.campaign import finish
from ros_mbmrl.evaluation.statistics import Row
from ros_mbmrl.learning.asynchronous.config import AsynchronousConfig
from ros_mbmrl.learning.asynchronous.files import remove
from ros_mbmrl.learning.asynchronous.job import Job
from ros_mbmrl.learning.asynchronous.schedules import make_schedule
from ros_mbmrl.learning.asynchronous.servers import Servers
from ros_mbmrl.learning.asynchronous.simulated_time import run_in_order, run_in_simulated_time
from ros_mbmrl.learning.policies.real_data import gather
from ros_mbmrl.learning.policies.training import PolicyMethod, updated
from ros_mbmrl.methods import make_method
from ros_mbmrl.plugins import imported
from ros_mbmrl.policies.files import load_policy
from ros_mbmrl.policies.gaussian import as_gaussian, for_tasks, without_noise
from ros_mbmrl.runtime.kept import keep, key_of
from ros_mbmrl.simulation.benchmarks import BENCHMARKS


@dataclass(frozen=True)
class Learning:
    """A run of one arm on one environment with one seed: a job for a process.

    Args:
        arm: that learns.
        environment: that it learns on.
        train_seed: of all that is drawn.
        scale: of the study.
        out: the study's folder.
    """

    arm: Arm
    environment: str
    train_seed: int
    scale: Scale
    out: Path

    @property
    def key(self) -> str:
        """Return a hash of all that decides the outcome, but for the speed of this machine."""
        job = self.job
        own = job.settings, job.asynchronous, self.sizes, self.arm.schedule, self.environment
        return key_of("asynchronous", self.arm.method, *own, self.scale.tests, self.scale.every)

    @property
    def sizes(self) -> Any:
        """Return the sizes of the schedule's rounds; None with all workers at once."""
        return self.scale.sizes[self.arm.schedule] if self.arm.schedule else None

    @property
    def job(self) -> Job:
        """Return the run. Raises UserError for settings that do not fit."""
        method: PolicyMethod = imported(make_method(self.arm.method).learner)
        scale, settings = self.scale, dict(self.scale.settings)
        if self.environment in BENCHMARKS:
            settings = {"horizon": BENCHMARKS[self.environment].horizon, **settings}
        folder = self.out / self.environment / self.arm.name / str(self.train_seed)
        try:
            config = method.configured(self.train_seed, settings)
            config = updated(config, scale.special.get(self.arm.method, {}))
            count = scale.trajectories * scale.longer.get(self.arm.schedule, 1)
            own = {**scale.asynchronous, **self.arm.settings, "trajectories": count}
            asynchronous = updated(AsynchronousConfig(), own)
            return Job(folder, self.arm.method, self.environment, config, asynchronous)
        except (TypeError, ValueError) as error:  # a UserError is a ValueError
            raise UserError(f"{self.arm.name} on {self.environment}: {error}") from None


def learn(learning: Learning) -> tuple[str, dict[str, Any]]:
    """Run an arm; return the key and the row.

    The row: method (the arm's name), train_seed, condition (the environment), curve: points of
    transitions, trajectories, time_s (simulated), return (mean of the tests), policy_version,
    model_version. seconds: simulated, of the whole run. A run that was interrupted begins anew.
    """
    job = learning.job
    points: list[dict[str, Any]] = []
    test = partial(_tested, learning, job)

    def told(servers: Servers) -> None:
        count = len(servers.data)
        known = points[-1]["trajectories"] if points else 0
        if count > known and count % learning.scale.every == 0:
            points.append(test(servers, count))

    remove(job.run)  # of a run that was interrupted, whose curve is lost
    job.keep()
    if learning.arm.schedule:
        own = make_schedule(learning.arm.schedule), learning.sizes
        seconds = run_in_order(job, *own, told)
    else:
        seconds = run_in_simulated_time(job, told)
    row = {
        "method": learning.arm.name,
        "train_seed": learning.train_seed,
        "condition": learning.environment,
        "seconds": seconds,
        "curve": points,
    }
    return learning.key, row


def _tested(learning: Learning, job: Job, servers: Servers, count: int) -> dict[str, Any]:
    """Return a point of the curve: the newest policy without noise, on the same tests always."""
    tasks, scale = job.tasks(), learning.scale
    found = servers.policies.pull(partial(load_policy, robot=tasks.robot))
    assert found is not None  # a trajectory was collected with one
    version, loaded = found
    still = for_tasks(without_noise(loaded.parameters), scale.tests)
    rng = np.random.default_rng(scale.first_test)
    tests = gather(tasks, as_gaussian(loaded.policy), still, job.steps, rng, "test")
    last = servers.data.facts(count - 1)
    lengths = (len(each.rollout) for each in servers.data.since(0))
    return {
        "trajectories": count,
        "transitions": sum(lengths),
        "time_s": last["ended"],
        "return": float(tests.returns.mean()),
        "policy_version": version,
        "model_version": servers.models.latest(),
    }


def run_study(
    scale: Scale,
    arms: Sequence[str],
    out: Path,
    workers: int = 2,
    cluster: str = "",
    first_train_seed: int = 0,
) -> list[Row]:
    """Return the rows of `learn`, of all arms; finished ones are not run again.

    Raises:
        UserError: settings that do not fit, before anything is written; another study's folder.
    """
    jobs = [
        Learning(ARMS[name], environment, seed, scale, out)
        for environment in scale.environments
        for name in arms
        for seed in range(first_train_seed, first_train_seed + scale.train_seeds)
    ]
    for each in jobs:
        _ = each.key  # what is wrong is said now
    keep(out, describe(scale, arms))
    known = finish(jobs, learn, out, workers, cluster, "runs")
    return [{**known[job.key], "method": job.arm.name} for job in jobs]
