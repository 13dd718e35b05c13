"""Share what all environments have whose physics are a function."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np

from ros_mbmrl.robots.spec import Array, Robot
from ros_mbmrl.robots.task import Task, rewards_each
from ros_mbmrl.simulation.environment import (
    Flags,
    Observation,
    Transition,
    clipped,
    observe,
    rows_of,
    tasks_of,
)
from ros_mbmrl.simulation.situations import Situation


class AnalyticRobots(ABC):
    """N robots of one kind: an `Environment`. A row that terminated rests, and its rewards are 0.

    Args:
        robot: the kind.
        horizon: control periods of an episode.
        situations: (N,), of the rows.
        seeds: (N,), of the rows' starts.

    Raises:
        ValueError: there is no row, or not a seed for each.
    """

    def __init__(
        self, robot: Robot, horizon: int, situations: Sequence[Situation], seeds: Sequence[int]
    ) -> None:
        count = len(situations)
        if count != len(seeds) or count == 0:
            raise ValueError(f"expected a seed each, got {count} and {len(seeds)}")
        self._robot, self._horizon = robot, horizon
        self._states = np.zeros((count, len(robot.spec.state)))
        self._ticks, self._over = np.zeros(count, dtype=int), np.zeros(count, dtype=bool)
        self.reset(np.ones(count, dtype=bool), situations, seeds)

    @abstractmethod
    def _begin(self, row: int, situation: Situation, rng: np.random.Generator) -> Array:
        """Put a row into a situation, and return the state (ds,) that it begins with."""

    @abstractmethod
    def _moved(self, states: Array, commands: Array) -> Array:
        """Return the next states (N, ds) of all rows under commands (N, da)."""

    def _paid(self, before: Array, commands: Array, after: Array) -> Array:
        """Return the rewards (N,) of one control period; by default the task's."""
        return rewards_each(self.tasks(), before, commands, after)

    def _ended(self, states: Array) -> Flags:
        """Tell in which states (N, ds) an episode terminates (N,); by default in none."""
        return np.zeros(len(self), dtype=bool)

    def __len__(self) -> int:
        return len(self._states)

    @property
    def robot(self) -> Robot:
        """See `Environment.robot`."""
        return self._robot

    @property
    def times(self) -> Array:
        """See `Environment.times`."""
        return self._ticks * self._robot.spec.period

    @property
    def goals(self) -> Array:
        """See `Environment.goals`: the state tells all that is told."""
        return np.zeros((len(self), 0))

    def tasks(self) -> list[Task]:
        """See `Environment.tasks`."""
        return tasks_of(self._robot, self._states, self.goals)

    def states(self) -> Array:
        """See `Environment.states`."""
        return np.array(self._states)

    def observe(self) -> Observation:
        """See `Environment.observe`."""
        return observe(self.robot, self._states, self.goals)

    def step(self, actions: Array) -> Transition:
        """See `Environment.step`."""
        shape = (len(self), len(self.robot.spec.action))
        before, sent, rested = self._states, clipped(self.robot.spec, actions, shape), self._over
        after = np.where(rested[:, None], before, self._moved(before, sent))
        rewards = np.where(rested, 0.0, self._paid(before, sent, after))
        self._states, self._ticks = after, self._ticks + ~rested
        self._over = rested | self._ended(after)
        truncated = (self._ticks >= self._horizon) & ~self._over
        return Transition(self.observe(), rewards, self._over.copy(), truncated)

    def reset(self, mask: Flags, situations: Sequence[Situation], seeds: Sequence[int]) -> None:
        """See `Environment.reset`; a row's draws are those of its own seed."""
        rows, states = rows_of(mask, situations, seeds), self._states.copy()
        for row, situation, seed in zip(rows.tolist(), situations, seeds, strict=True):
            states[row] = self._begin(row, situation, np.random.default_rng(seed))
        self._states = states
        self._ticks[rows], self._over[rows] = 0, False
