"""Simulated time by hand: workers side by side, and one after the other."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ros_mbmrl.learning.asynchronous.job import Job
from ros_mbmrl.learning.asynchronous.schedules import Sizes, synchronous
from ros_mbmrl.learning.asynchronous.servers import Servers
from ros_mbmrl.learning.asynchronous.simulated_time import (
    SimulatedClock,
    last_time,
    run_in_order,
    run_in_simulated_time,
)

MakeJob = Callable[..., Job]
PERIOD = 0.05  # of the pendulum [s]
LASTS = 25 * PERIOD


class Timer:
    """Each look at it is a second later: what is measured lasts 1 s."""

    def __init__(self, step: float) -> None:
        self.time, self.step = 0.0, step

    def __call__(self) -> float:
        self.time += self.step
        return self.time


def test_all_at_once_a_run_lasts_as_long_as_its_collection(make_job: MakeJob) -> None:
    job = make_job(trajectories=4)
    end = run_in_simulated_time(job, timer=Timer(0.25))
    facts = [job.servers().data.facts(n) for n in range(4)]
    # The policy worker's first step and push last .25 s each; the collector begins after the step.
    begins = [0.25 + k * LASTS for k in range(4)]
    assert [each["began"] for each in facts] == pytest.approx(begins)
    assert [each["ended"] for each in facts] == pytest.approx([b + LASTS for b in begins])
    assert end == pytest.approx(0.25 + 4 * LASTS)
    assert last_time(job.servers()) == pytest.approx(end)
    versions = [each["policy_version"] for each in facts]
    assert versions == sorted(versions) and versions[-1] > versions[0] == 0


def test_what_was_not_pushed_yet_is_not_pulled(make_job: MakeJob) -> None:
    """With .25 s a step, a model of 2 trajectories is there .5 s after the second one's end."""
    job = make_job(trajectories=4)
    run_in_simulated_time(job, timer=Timer(0.25))
    facts = [job.servers().data.facts(n) for n in range(4)]
    assert [each["model_version"] for each in facts[:3]] == [None, None, None]
    assert facts[3]["model_version"] is not None


def test_one_at_a_time_the_times_add_up(make_job: MakeJob) -> None:
    job = make_job(trajectories=4)
    end = run_in_order(job, synchronous, Sizes(rollouts=2, epochs=1, updates=3), timer=Timer(0.25))
    # First, nobody has a policy to collect with: two looks of .25 s each in vain, one at a model.
    # Then the first policy (.5 s) and two updates in vain; two trajectories, an epoch of .5 s,
    # three updates of .5 s, and two trajectories.
    vain = 3 * 0.25 + 0.5 + 2 * 0.25
    assert end == pytest.approx(vain + 4 * LASTS + 0.5 + 3 * 0.5)


def test_a_slower_robot_gives_more_time_to_learn(make_job: MakeJob) -> None:
    def updates(pace: float) -> int:
        job = make_job(trajectories=4, folder=f"pace-{pace}", pace=pace)
        run_in_simulated_time(job, timer=Timer(0.1))
        return job.servers().policies.latest() or 0

    assert updates(0.5) > updates(1.0) > updates(2.0)


def test_a_run_goes_on_at_the_time_of_its_last_trajectory(make_job: MakeJob) -> None:
    first = make_job(trajectories=2)
    run_in_simulated_time(first, timer=Timer(0.25))
    longer = make_job(trajectories=4)
    told: list[int] = []

    def tell(servers: Servers) -> None:
        told.append(len(servers.data))

    run_in_simulated_time(longer, tell, timer=Timer(0.25))
    facts = [longer.servers().data.facts(n) for n in range(4)]
    assert facts[2]["began"] == pytest.approx(facts[1]["ended"])
    assert told[-1] == 4


def test_a_simulated_clock_stands_still_until_it_is_told() -> None:
    clock = SimulatedClock(2.0)
    clock.wait(1.5)
    clock.wait(-1.0)
    assert clock.now() == 3.5
