"""Time that each method needs to adapt to a new task, in one run (Wang and van Hoof, table 6)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import process_time
from typing import Any

import numpy as np
import torch
from torch import Generator

from ros_mbmrl.agents.base import Context as Beginning
from ros_mbmrl.evaluation.policies.training import Training, tasks_of, tests_of
from ros_mbmrl.learning.policies.gssm_config import AMORTISED, FINE_TUNED, ContextualConfig
from ros_mbmrl.learning.policies.meta_testing import (
    NewTasks,
    adapted_agent,
    one_of,
    remembered,
    tuned,
)
from ros_mbmrl.learning.policies.trials import contexts
from ros_mbmrl.learning.run import silent
from ros_mbmrl.policies.trained import TrainedPolicy
from ros_mbmrl.runtime.kept import key_of

Row = dict[str, Any]
COUNT = 20  # tasks that are adapted to
PERIODS = 10  # of acting, whose median counts
MS = 1e3


@dataclass(frozen=True)
class Timing:
    """A job: the methods of one environment, each trained to the end of its curve.

    Args:
        trainings: the last points of the curves of a training seed; their checkpoints are there.
    """

    trainings: tuple[Training, ...]

    @property
    def key(self) -> str:
        """Return a hash of all that decides the outcome, but for the machine."""
        return key_of("adaptation time", COUNT, *(each.key for each in self.trainings))


@dataclass(frozen=True)
class _Timed:
    """A method that is timed: model, policy and a memory of every task."""

    training: Training
    trained: TrainedPolicy
    new: NewTasks
    memory: Any


def measure(job: Timing) -> tuple[str, Row]:
    """Return the job's key and its row: condition, and processor times [ms] by entry.

    look: the pass through the encoder, or the gradient step on the model (L2A). adapt: that and
    all that the policy needs (z, or fine-tuning). act: a command. Each with its deviation across
    tasks, `_std`. Methods take turns task by task, so that what else the machine does meets all.
    """
    torch.set_num_threads(1)  # processor time of one thread
    timed = [_made(each) for each in job.trainings]
    times: dict[str, list[list[float]]] = {each.training.entry.name: [] for each in timed}
    for task in range(-1, COUNT):  # the first one warms up
        for each in timed:
            told = _times(each, max(task, 0))
            if task >= 0:
                times[each.training.entry.name].append(told)
    named = {name: _named(np.asarray(told) * MS) for name, told in times.items()}
    return job.key, {"condition": job.trainings[0].environment, "times": named}


def _named(told: Any) -> Row:
    found: Row = {}
    for name, mean, std in zip(("look", "adapt", "act"), told.mean(0), told.std(0), strict=True):
        found |= {name: float(mean), f"{name}_std": float(std)}
    return found


def _made(job: Training) -> _Timed:
    tasks, config = tasks_of(job.environment), job.config
    trained = job.method.train(tasks, config, job.folder, silent)
    new = NewTasks.drawn(tests_of(job.environment), COUNT, job.scale.first_test)
    memory = contexts(remembered(tasks, trained, config, new), config.context)
    return _Timed(job, trained, new, memory)


def _times(timed: _Timed, task: int) -> list[float]:
    """Return the seconds of look, adapt and act in one task."""
    job, trained = timed.training, timed.trained
    config: ContextualConfig = job.config
    tasks, memory = tasks_of(job.environment), one_of(timed.memory, task)
    assert trained.contextual is not None
    model, parameters = trained.contextual
    look = _seconds(lambda: model.condition(parameters, memory))
    new = NewTasks(timed.new.situations[task : task + 1], timed.new.seeds[task : task + 1])
    if config.acting == FINE_TUNED:
        adapt = _seconds(lambda: tuned(tasks, trained, config, memory, Generator().manual_seed(0)))
    elif config.acting == AMORTISED:
        adapt = _seconds(lambda: adapted_agent(tasks, trained, config, new, memory))
    else:
        adapt = look
    return [look, adapt, _acting(tasks, timed, new, memory)]


def _acting(tasks: Any, timed: _Timed, new: NewTasks, memory: Any) -> float:
    agent = adapted_agent(tasks, timed.trained, timed.training.config, new, memory)
    robots = tasks.make(new.situations, new.seeds)
    agent.begin(Beginning(robots.robot, new.seeds, robots.tasks(), robots.goals))
    spent = []
    for k in range(PERIODS):
        begin = process_time()
        commands = agent.act(robots.states(), k * robots.robot.spec.period).commands
        spent.append(process_time() - begin)
        agent.acted(commands)
    return float(np.median(spent))


def _seconds(call: Callable[[], object]) -> float:
    begin = process_time()
    call()
    return process_time() - begin


def timings(trainings: Sequence[Training]) -> list[Timing]:
    """Return a job for each environment of trainings, of those with a contextual model."""
    found: dict[str, list[Training]] = {}
    for each in trainings:
        if isinstance(each.config, ContextualConfig):
            found.setdefault(each.environment, []).append(each)
    return [Timing(tuple(jobs)) for jobs in found.values()]
