"""PlantEnvironment: simulated plants side by side, as an environment."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from ros_mbmrl.errors import RunError
from ros_mbmrl.plants.base import Twin
from ros_mbmrl.robots.estimator import StateEstimator
from ros_mbmrl.robots.spec import Array, Robot
from ros_mbmrl.robots.task import Finishing, Task, rewards_each
from ros_mbmrl.simulation.environment import (
    Flags,
    Observation,
    Transition,
    clipped,
    observe,
    rows_of,
)

S = TypeVar("S")  # a situation


@dataclass(frozen=True)
class Stage(Generic[S]):
    """Way to put a robot into a situation.

    Args:
        robot: of which kind.
        twin: makes its twin, of a situation and a seed.
        task: makes its task, of a situation.
        goal: the part of that task which a state does not tell (g,); none by default.
        duration: how long an episode lasts [s]; for ever by default.
    """

    robot: Robot
    twin: Callable[[S, int], Twin]
    task: Callable[[S], Task]
    goal: Callable[[S], Array] = lambda _: np.zeros(0)
    duration: Callable[[S], float] = lambda _: math.inf


class PlantEnvironment(Generic[S]):
    """N twins, each in its situation: an `Environment`.

    A row terminates when its physics break down or its task is finished, as the task knows from
    the state that the step began with.
    """

    def __init__(self, stage: Stage[S], situations: Sequence[S], seeds: Sequence[int]) -> None:
        count = len(situations)
        if count != len(seeds) or count == 0:
            raise ValueError(f"expected a seed each, got {count} and {len(seeds)}")
        self.robot, self._stage = stage.robot, stage
        self.situations, self._times = tuple(situations), np.zeros(count)
        self.goals = np.zeros((count, len(stage.goal(situations[0]))))
        self._states = np.zeros((count, len(self.robot.spec.state)))
        self._terminated = np.zeros(count, dtype=bool)
        self._twins: dict[int, Twin] = {}
        self._tasks: dict[int, Task] = {}
        self._estimators = [StateEstimator(self.robot) for _ in range(count)]
        self.reset(np.ones(count, dtype=bool), situations, seeds)

    def __len__(self) -> int:
        return len(self.situations)

    @property
    def times(self) -> Array:
        """See `Environment.times`."""
        return np.array(self._times)

    def tasks(self) -> list[Task]:
        """See `Environment.tasks`: from the beginning, as each situation says."""
        return [self._stage.task(situation) for situation in self.situations]

    def states(self) -> Array:
        """See `Environment.states`."""
        return np.array(self._states)

    def observe(self) -> Observation:
        """See `Environment.observe`."""
        return observe(self.robot, self._states, self.goals)

    def step(self, actions: Array) -> Transition:
        """See `Environment.step`."""
        spec, before = self.robot.spec, self.states()
        commands = clipped(spec, actions, (len(self), len(spec.action)))
        for row in np.flatnonzero(~self._terminated).tolist():
            self._twins[row].command(commands[row])
            self._twins[row].advance(spec.period)
            self._look(row)
        tasks = [self._tasks[row] for row in range(len(self))]
        rewards = rewards_each(tasks, before, commands, self._states)
        finished = [isinstance(task, Finishing) and task.finished for task in tasks]
        self._terminated |= np.array(finished)
        ends = np.array([self._stage.duration(each) for each in self.situations])
        truncated = self._times > ends - 0.5 * spec.period
        return Transition(self.observe(), rewards, self._terminated.copy(), truncated)

    def reset(self, mask: Flags, situations: Sequence[S], seeds: Sequence[int]) -> None:
        """See `Environment.reset`; a twin that keeps its situation is not built again."""
        rows = rows_of(mask, situations, seeds)
        now, goals = list(self.situations), self.goals.copy()
        for row, situation, seed in zip(rows.tolist(), situations, seeds, strict=True):
            if row in self._twins and situation == now[row]:
                self._twins[row].reset(seed)
            else:
                self._twins[row] = self._stage.twin(situation, seed)
            now[row], goals[row] = situation, self._stage.goal(situation)
            self._tasks[row] = self._stage.task(situation)
            self._estimators[row].reset()
            self._terminated[row] = False
            self._look(row)
        self.situations, self.goals = tuple(now), goals

    def _look(self, row: int) -> None:
        """Take in what a twin measures now; a twin whose physics broke down measures nothing."""
        try:
            measured = self._twins[row].observe()
        except RunError:
            self._terminated[row] = True
            return
        self._states[row] = self._estimators[row].update(measured)
        self._times[row] = measured.time
