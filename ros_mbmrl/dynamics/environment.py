"""ImaginedRobots: a learned model as an environment, to practise in without a robot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Generator

from ros_mbmrl.dynamics.imagination import MEAN, Imagination
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.networks.mlp import Parameters
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


@dataclass(frozen=True)
class Start:
    """State and goal at the beginning of an imagined episode.

    Args:
        state: (ds,), for example one that was measured.
        goal: (g,), of a robot that has one.
    """

    state: Array
    goal: Array = field(default_factory=lambda: np.zeros(0))


class ImaginedRobots:
    """N robots that a model's mean prediction moves, or members of an ensemble: an `Environment`.

    With the mean nothing is drawn. Seeds change nothing: the members that move a row are drawn by
    one generator for all rows. A row terminates when its next state is not finite.

    Args:
        model, parameters: that predict.
        starts: (N,), the situations to begin with.
        horizon: control periods after which an episode is truncated.
        make_tasks: the tasks of a robot's states (n, ds) and goals (n, g), which say the rewards.
        scheme: of sampling from an ensemble, see `Imagination`; "": its mean.
        generator: of what the scheme draws.
    """

    def __init__(
        self,
        model: DynamicsModel,
        parameters: Parameters,
        starts: Sequence[Start],
        horizon: int,
        make_tasks: Callable[[Robot, Array, Array], list[Task]] = tasks_of,
        scheme: str = "",
        generator: Generator | None = None,
    ) -> None:
        if horizon < 1 or len(starts) == 0:
            raise ValueError(f"expected a horizon and starts, got {horizon} and {len(starts)}")
        self.robot, self._horizon, self._make_tasks = model.robot, horizon, make_tasks
        self._imagination = Imagination.of(model, parameters, scheme or MEAN)
        self._generator = generator or Generator().manual_seed(0)
        self._members = torch.zeros(len(starts), dtype=torch.long)
        count, states = len(starts), len(self.robot.spec.state)
        self.goals = np.zeros((count, len(starts[0].goal)))
        self._states = np.zeros((count, states))
        self._steps = np.zeros(count, dtype=int)
        self._terminated = np.zeros(count, dtype=bool)
        self._tasks: dict[int, Task] = {}
        self.reset(np.ones(count, dtype=bool), starts, range(count))

    def __len__(self) -> int:
        return len(self._states)

    @property
    def times(self) -> Array:
        """See `Environment.times`."""
        return np.asarray(self._steps * self.robot.spec.period)

    def tasks(self) -> list[Task]:
        """See `Environment.tasks`."""
        return self._make_tasks(self.robot, self._states, self.goals)

    def states(self) -> Array:
        """See `Environment.states`."""
        return np.array(self._states)

    def observe(self) -> Observation:
        """See `Environment.observe`."""
        return observe(self.robot, self._states, self.goals)

    def step(self, actions: Array) -> Transition:
        """See `Environment.step`."""
        spec, before = self.robot.spec, self._states
        commands = clipped(spec, actions, (len(self), len(spec.action)))
        states, sent = (torch.as_tensor(part, dtype=torch.float32) for part in (before, commands))
        with torch.no_grad():
            moved = self._imagination.step(states, sent, self._members, self._generator)
        reached = moved.numpy().astype(np.float64)
        self._terminated = self._terminated | ~np.isfinite(reached).all(axis=1)
        self._states = np.where(self._terminated[:, None], before, reached)
        self._steps = self._steps + 1
        tasks = [self._tasks[n] for n in range(len(self))]
        rewards = rewards_each(tasks, before, commands, self._states)
        truncated = self._steps >= self._horizon
        return Transition(self.observe(), rewards, self._terminated.copy(), truncated)

    def reset(self, mask: Flags, situations: Sequence[Start], seeds: Sequence[int]) -> None:
        """See `Environment.reset`; a situation is a `Start`."""
        rows = rows_of(mask, situations, seeds)
        states, goals = self._states.copy(), self.goals.copy()
        for row, start in zip(rows, situations, strict=True):
            states[row], goals[row] = start.state, start.goal
        if not np.isfinite(states[rows]).all():
            raise ValueError("starts: expected finite states")
        tasks = self._make_tasks(self.robot, states[rows], goals[rows])
        self._tasks |= dict(zip(rows.tolist(), tasks, strict=True))
        self._states, self.goals = states, goals
        self._members[rows] = self._imagination.drawn(len(rows), self._generator)
        self._steps = np.where(mask, 0, self._steps)
        self._terminated = self._terminated & ~mask
