"""The environments of `simulation/benchmarks.py` as a source of episodes for any learner."""

from __future__ import annotations

from functools import partial

from ros_mbmrl.policies.sampling import Tasks
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.running import RunCourse
from ros_mbmrl.simulation.benchmarks import benchmark_of, make_benchmark
from ros_mbmrl.simulation.models import models_of


def benchmark_tasks(name: str) -> Tasks:
    """Return the tasks of the environment called `name`. Raises UserError."""
    row = benchmark_of(name)
    make = partial(make_benchmark, name, models=models_of(row.robot))
    one = row.one_reward
    return Tasks(
        make_robot(row.robot),
        row.draw,
        make,
        names=(name,),
        task=RunCourse(row.rules.score) if one else None,
        ended=None if row.rules.healthy is None else row.rules.ended,
        one_reward=one,
    )
