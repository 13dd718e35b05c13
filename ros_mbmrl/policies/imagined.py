"""Episodes of a Gaussian policy in an imagination: torch all the way, and differentiable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from torch import Generator, Tensor

from ros_mbmrl.errors import UserError
from ros_mbmrl.networks.mlp import Parameters
from ros_mbmrl.policies.gaussian import GaussianPolicy
from ros_mbmrl.policies.sampling import Episodes, Tasks
from ros_mbmrl.robots.spec import Robot, RobotSpec
from ros_mbmrl.robots.task import Task, is_stationary
from ros_mbmrl.simulation.environment import tasks_of

Ended = Callable[[Tensor], Tensor]  # of states (N, ds): whether an episode terminates there (N,)
# reward(states (N, ds), commands (N, da), next states (N, ds)) -> rewards (N,)
Reward = Callable[[Tensor, Tensor, Tensor], Tensor]


class Imagines(Protocol):
    """A model that moves rows of states: `Imagination`, or one that has seen a context."""

    @property
    def robot(self) -> Robot:
        """Robot that is modelled."""

    def drawn(self, rows: int, generator: Generator) -> Tensor:
        """Draw what moves each row in its episode, (rows,)."""

    def step(
        self, states: Tensor, actions: Tensor, members: Tensor, generator: Generator
    ) -> Tensor:
        """Return the next states (N, ds); see `Imagination.step`."""


@dataclass(frozen=True)
class ImaginedEpisodes(Episodes):
    """Episodes, and the states (N, M, T+1, ds) that were imagined."""

    states: Tensor


@runtime_checkable
class Widening(Protocol):
    """A task whose reward is flat far from its goal."""

    def widened(self, factor: float) -> Task:
        """Return the task with a reward that reaches `factor` times as far."""


def reward_of(task: Task) -> Reward:
    """Return the reward of a control period: the negative cost by a task.

    Raises:
        UserError: the reward does not follow from states and command alone.
    """
    if not is_stationary(task):
        raise UserError("imagination: expected a task whose cost is the same at any time")
    nothing = torch.zeros(0)

    def reward(states: Tensor, commands: Tensor, after: Tensor) -> Tensor:
        pairs = torch.stack([states, after], dim=1)
        return -task.cost(pairs, commands[:, None], nothing)

    return reward


def reward_in(tasks: Tasks, wider: float = 1.0) -> Reward:
    """Return the reward of all situations: that of their task, or of the robot's first one.

    Args:
        tasks: the source of episodes.
        wider: factor of the reward's width; 1: as it is.

    Raises:
        UserError: there is none, or it does not follow from states and command alone, or it has
            no width.
    """
    robot = tasks.robot
    if not tasks.one_reward:
        raise UserError(
            f"imagination: expected situations with one reward, got {', '.join(tasks.names)}, "
            "where it is drawn"
        )
    if tasks.task is not None:
        return reward_of(_widened(tasks.task, wider))
    if not tasks.goals and not robot.tasks():
        raise UserError(f"imagination: robot '{robot.spec.name}' has no task that tells rewards")
    nowhere = np.zeros((1, len(robot.spec.state))), np.zeros((1, tasks.goals))
    return reward_of(_widened(tasks_of(robot, *nowhere)[0], wider))


def _widened(task: Task, factor: float) -> Task:
    if factor == 1.0:
        return task
    if not isinstance(task, Widening):
        raise UserError(f"widened: the reward of {type(task).__name__} has no width: expected 1")
    return task.widened(factor)


def imagine_episodes(
    policy: GaussianPolicy,
    parameters: Parameters,
    imagination: Imagines,
    reward: Reward,
    starts: Tensor,
    noise: Tensor,
    generator: Generator,
    members: Tensor | None = None,
    ended: Ended | None = None,
    context: Tensor | None = None,
) -> ImaginedEpisodes:
    """Imagine episodes of N tasks' own parameters, in N x M rows, those of a task together.

    The gradient runs from the rewards through model and policy to the parameters (BPTT), unless
    the caller turns gradients off. A row whose next state is not finite stays where it is.

    Args:
        policy: acts.
        parameters: of the policy, (N, ...) each.
        imagination: moves the rows.
        reward: of each control period.
        starts: states (N x M, ds).
        noise: of the actions, (N x M, T, da), standard normal.
        generator: of what the imagination draws.
        members: of each row's episode, (N x M,), see `Imagination.step`; None: drawn.
        ended: see `Tasks.ended`; a row is imagined on where its episode is over, for nothing.
        context: (N x M, dz), what the policy knows of each row's task, seen after the observation;
            None: nothing.
    """
    robot, (rows, steps, _) = imagination.robot, noise.shape
    command, tasks = commands_of(robot.spec), len(parameters["log_std"])
    members = imagination.drawn(rows, generator) if members is None else members
    drawn = noise.view(tasks, rows // tasks, steps, -1)
    apart = drawn * parameters["log_std"].exp()[:, None, None]  # from the mean actions
    told: list[tuple[Tensor, Tensor, Tensor]] = []
    states = [starts]
    for each in apart.unbind(2):
        now = states[-1]
        seen = policy.seen(robot.observation(now), context).view(tasks, rows // tasks, -1)
        chosen = policy.means(parameters, seen) + each
        commands = command(chosen.flatten(0, 1))
        moved = imagination.step(now, commands, members, generator)
        finite = (0.0 * moved).sum(dim=-1, keepdim=True) == 0.0
        states.append(torch.where(finite, moved, now))
        told.append((seen, chosen, commands))
    seen, chosen, sent = (torch.stack(part, dim=-2) for part in zip(*told, strict=True))
    visited = torch.stack(states, dim=1)
    # All steps at once: a product of a few rows takes as long as what calls it.
    pairs = (each.flatten(0, 1) for each in (visited[:, :-1], sent, visited[:, 1:]))
    rewards = reward(*pairs).view(tasks, -1, steps)
    likely = policy.noise_log_prob(parameters, drawn)
    live = None if ended is None else going(visited, ended).view(tasks, -1, steps)
    if live is not None:
        rewards = rewards * live
    places = visited.view(tasks, -1, *visited.shape[1:])
    return ImaginedEpisodes(seen, chosen, likely, rewards, places, live=live)


@torch.no_grad()
def going(states: Tensor, ended: Ended) -> Tensor:
    """Tell of each step of episodes with states (N, T+1, ds) whether it began before the end.

    Returns:
        (N, T) bool. An episode that begins in a state where it terminates has its first step.
    """
    over = ended(states[:, 1:-1].flatten(0, 1)).view(len(states), -1)
    first = torch.ones(len(states), 1, dtype=torch.bool)
    return torch.cat([first, over.int().cumsum(dim=1) == 0], dim=1)


def commands_of(spec: RobotSpec) -> Callable[[Tensor], Tensor]:
    """Return `sampling.to_commands` of a robot for tensors (..., da), with its gradient."""
    low, high = spec.action_low, spec.action_high
    parts = (low + high) / 2, (high - low) / 2
    middle, half = (torch.as_tensor(part, dtype=torch.float32) for part in parts)
    return lambda actions: torch.addcmul(middle, actions.clamp(-1.0, 1.0), half)
