"""Worlds of a study: its situations, robots, task and control period."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ros_mbmrl.evaluation.study.description import Study
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.running import RunCourse
from ros_mbmrl.robots.task import Task
from ros_mbmrl.simulation.benchmarks import benchmark_of, make_benchmark
from ros_mbmrl.simulation.distributions import TEST, TRAINING, Draw, DrawFor
from ros_mbmrl.simulation.simulated_robots import SimulatedRobots, make_simulated
from ros_mbmrl.simulation.situations import Situation


def period_of(study: Study) -> float:
    """Return the control period of the study's robot [s]."""
    return make_robot(study.robot).spec.period


def training_draw(study: Study) -> Draw:
    """Return the draw of the situations that every model of a study is trained in."""
    return benchmark_of(study.environment).draw if study.environment else TRAINING[study.name]


def situations_of(
    study: Study,
    conditions: Sequence[str],
    seeds: Sequence[int],
    seconds: float,
    of: Mapping[str, Mapping[str, DrawFor]] = TEST,
) -> list[Situation]:
    """Return a situation for every condition and seed: the same ones for every method."""
    generators = [np.random.default_rng([seed, 7]) for _ in conditions for seed in seeds]
    if study.environment:
        return [benchmark_of(study.environment).draw(rng) for rng in generators]
    names = [name for name in conditions for _ in seeds]
    draws = of[study.name]
    return [draws[name](rng, seconds) for name, rng in zip(names, generators, strict=True)]


def worlds_of(
    study: Study, situations: Sequence[Situation], seeds: Sequence[int]
) -> SimulatedRobots:
    """Return the robots of a study, with the rewards of its environment if it is on one."""
    if study.environment:
        return make_benchmark(study.environment, situations, seeds)
    return make_simulated(study.robot, situations, seeds)


def task_of(study: Study) -> Task:
    """Return the task of a study's robots, from a start at rest."""
    if study.environment:
        return RunCourse(benchmark_of(study.environment).rules.score)
    robot = make_robot(study.robot)
    return robot.make_task(study.task, np.zeros(len(robot.spec.state)))
