"""Trials: episodes of any agent with N robots, state by state, for learners in models of tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Generator, Tensor

from ros_mbmrl.agents.base import Agent
from ros_mbmrl.agents.base import Context as Beginning
from ros_mbmrl.dynamics.latent.base import Context
from ros_mbmrl.learning.models.elbo import TaskData
from ros_mbmrl.robots.spec import Array
from ros_mbmrl.simulation.environment import Environment, Flags


@dataclass(frozen=True)
class Trials:
    """An episode of each of N robots.

    Args:
        states: (T+1, N, ds).
        commands: (T, N, da), as sent.
        rewards: (T, N), 0 after an episode's end.
        going: (T, N), whether the episode was not over when the step began.
    """

    states: Array
    commands: Array
    rewards: Array
    going: Flags

    @property
    def returns(self) -> Array:
        """Sums of rewards, (N,)."""
        return np.asarray(self.rewards.sum(axis=0))

    def rows(self, robots: Sequence[int]) -> TaskData:
        """Return the transitions of some of the robots, one after the other."""
        told = []
        for n in robots:
            states, finite = self.states[:, n], np.isfinite(self.states[1:, n]).all(axis=1)
            live = np.asarray(self.going[:, n] & finite)
            told.append((states[:-1][live], self.commands[:, n][live], states[1:][live]))
        parts = (np.concatenate(part) for part in zip(*told, strict=True))
        return TaskData(*(torch.as_tensor(part, dtype=torch.float32) for part in parts))


def run_trials(environment: Environment, agent: Agent, steps: int, seeds: Sequence[int]) -> Trials:
    """Run an episode of at most `steps` control periods with each robot, from where they are."""
    agent.begin(Beginning(environment.robot, seeds, environment.tasks(), environment.goals))
    ended = np.zeros(len(environment), dtype=bool)
    states, told = [environment.states()], list[tuple[Array, Array, Flags]]()
    for _ in range(steps):
        commands = agent.act(states[-1], float(environment.times[0])).commands
        agent.acted(commands)
        moved = environment.step(commands)
        told.append((commands, np.where(ended, 0.0, moved.reward), ~ended))
        states.append(environment.states())
        ended = ended | moved.terminated
        if ended.all():
            break
    return Trials(np.stack(states), *(np.stack(part) for part in zip(*told, strict=True)))


def joined(parts: Sequence[TaskData]) -> TaskData:
    """Return the transitions of several episodes of one task."""
    return TaskData(*(torch.cat(part) for part in zip(*parts, strict=True)))


def contexts(tasks: Sequence[TaskData], length: int, generator: Generator | None = None) -> Context:
    """Return a context of `length` transitions of each task; rows that are missing have no weight.

    Args:
        tasks: transitions of N tasks.
        length: of a context.
        generator: of which transitions are drawn; None: the first ones.
    """
    parts: list[list[Tensor]] = [[], [], [], []]
    for rows in tasks:
        count = min(length, len(rows.states))
        which = torch.arange(count)
        if generator is not None:
            which = torch.randperm(len(rows.states), generator=generator)[:count]
        for part, values in zip(parts, rows, strict=False):
            empty = values.new_zeros(length - count, values.shape[1])
            part.append(torch.cat([values[which], empty]))
        parts[3].append((torch.arange(length) < count).float())
    return Context(*(torch.stack(part) for part in parts))


def tensors_of(tasks: Sequence[TaskData]) -> dict[str, Tensor]:
    """Return the transitions of all tasks, for a checkpoint."""
    if not tasks:
        return {}
    found = joined(tasks)._asdict()
    return {**found, "lengths": torch.tensor([len(rows.states) for rows in tasks])}


def tasks_of(tensors: Mapping[str, Tensor]) -> list[TaskData]:
    """Return the transitions that `tensors_of` told."""
    if not tensors:
        return []
    lengths = tensors["lengths"].tolist()
    parts = (torch.split(tensors[name], lengths) for name in TaskData._fields)
    return [TaskData(*each) for each in zip(*parts, strict=True)]
