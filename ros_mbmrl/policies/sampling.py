"""Episodes of a policy in an environment, and the experience of them for a policy gradient."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from ros_mbmrl.networks.mlp import Parameters
from ros_mbmrl.policies.advantages import (
    LinearBaseline,
    discounted,
    generalised_advantages,
    standardised,
)
from ros_mbmrl.policies.gaussian import GaussianPolicy
from ros_mbmrl.policies.inner_step import Experience
from ros_mbmrl.robots.spec import Array, Robot, RobotSpec
from ros_mbmrl.robots.task import Task

if TYPE_CHECKING:
    from ros_mbmrl.simulation.environment import Environment
    from ros_mbmrl.simulation.situations import Situation


@dataclass(frozen=True)
class Tasks:
    """A source of episodes: situations are drawn, and an environment is made of them.

    make: from situations and a seed for each. goals: how many numbers a robot's goal has. names: of
    the distributions that situations are drawn from, which a checkpoint is held to. task: whose
    negative cost is the reward of all situations; None: the robot's first one. ended: tells in
    which states (N, ds) an episode terminates (N,); None: in none. one_reward: whether all
    situations have the same reward. physics: the system itself, differentiable, from states
    (N, ds) and commands (N, da) to next states (N, ds); None: not known as such a function.
    """

    robot: Robot
    draw: Callable[[np.random.Generator], Situation]
    make: Callable[[Sequence[Situation], Sequence[int]], Environment]
    goals: int = 0
    names: tuple[str, ...] = ()
    task: Task | None = None
    ended: Callable[[Tensor], Tensor] | None = None
    one_reward: bool = True
    physics: Callable[[Tensor, Tensor], Tensor] | None = None

    @property
    def observations(self) -> int:
        """Number of numbers that a policy sees."""
        return len(self.robot.observed) + self.goals

    def drawn(self, rng: np.random.Generator, count: int) -> tuple[list[Situation], list[int]]:
        """Draw `count` situations, and a seed for each."""
        situations = [self.draw(rng) for _ in range(count)]
        return situations, [int(seed) for seed in rng.integers(2**31, size=count)]


@dataclass(frozen=True)
class Episodes:
    """N tasks, M episodes each, of at most T steps. Observations are raw.

    observations: (N, M, T, do). actions: (N, M, T, da). log_probs, rewards: (N, M, T).
    live: (N, M, T) bool, whether the episode was not over when the step began; rewards are 0 after
    that. None: all episodes last T steps.
    """

    observations: Tensor
    actions: Tensor
    log_probs: Tensor
    rewards: Tensor
    live: Tensor | None = field(default=None, kw_only=True)

    @property
    def seen(self) -> Tensor:
        """Return the observations (n, do) of all transitions."""
        if self.live is None:
            return self.observations.flatten(0, 2)
        return self.observations[self.live]

    @property
    def returns(self) -> Tensor:
        """Sums of rewards, (N, M)."""
        return self.rewards.sum(-1)


@dataclass(frozen=True)
class Discounts:
    """discount: of rewards. decay: of GAE, its lambda."""

    discount: float = 0.99
    decay: float = 0.95

    def __post_init__(self) -> None:
        if not (0 <= self.discount <= 1 and 0 <= self.decay <= 1):
            raise ValueError("discount, decay: expected numbers from 0 to 1")


def to_commands(spec: RobotSpec, actions: Array) -> Array:
    """Return the commands (..., da) for a policy's actions, held within the robot's range."""
    low, high = spec.action_low, spec.action_high
    return low + (np.clip(actions, -1.0, 1.0) + 1.0) / 2.0 * (high - low)


def to_actions(spec: RobotSpec, commands: Array) -> Array:
    """Return the policy's actions (..., da) that commands stand for: `to_commands` inverted."""
    low, high = spec.action_low, spec.action_high
    return 2.0 * (np.asarray(commands) - low) / (high - low) - 1.0


def noise_of(seeds: Sequence[int], steps: int, actions: int) -> Tensor:
    """Draw standard normal noise (episodes, T, da); an episode's does not depend on the others."""
    generators = (torch.Generator().manual_seed(seed) for seed in seeds)
    return torch.stack([torch.randn(steps, actions, generator=each) for each in generators])


@torch.no_grad()
def sample_episodes(
    policy: GaussianPolicy, parameters: Parameters, environment: Environment, noise: Tensor
) -> Episodes:
    """Run episodes of N tasks' own parameters (N, ...) in N x M rows, those of a task together.

    noise: (N x M, T, da), standard normal (`noise_of`). A row that terminates has no further steps.
    """
    tasks, (count, steps, actions) = len(parameters["log_std"]), noise.shape
    drawn = iter(noise.reshape(tasks, count // tasks, steps, actions).unbind(2))

    def choose(seen: Tensor, rewards: Array) -> tuple[Tensor, Tensor]:
        chosen = policy.sample(parameters, seen, next(drawn))
        return chosen, policy.log_prob(parameters, seen, chosen)

    return run_chosen(choose, environment, tasks, steps)


@torch.no_grad()
def run_chosen(
    choose: Callable[[Tensor, Array], tuple[Tensor, Tensor]],
    environment: Environment,
    tasks: int,
    steps: int,
) -> Episodes:
    """Run episodes of actions and log pi that are chosen, step by step.

    choose: is told observations (N, M, do) and the rewards (N x M,) of the step before, 0 at first.
    """
    count = len(environment)
    told: list[tuple[Tensor, Tensor, Tensor, Tensor]] = []
    lasting, ended = [], np.zeros(count, dtype=bool)
    observation, reward = environment.observe(), np.zeros(count)
    for _ in range(steps):
        seen = torch.from_numpy(observation).reshape(tasks, count // tasks, -1)
        chosen, likely = choose(seen, reward)
        commands = to_commands(environment.robot.spec, chosen.flatten(0, 1).numpy().astype(float))
        transition = environment.step(commands)
        observation, reward = transition.observation, transition.reward
        paid = np.where(ended, 0.0, transition.reward)
        rewards = torch.as_tensor(paid, dtype=torch.float32)
        told.append((seen, chosen, likely, rewards.reshape(tasks, -1)))
        lasting.append(torch.from_numpy(~ended).reshape(tasks, -1))
        ended = ended | transition.terminated
    live = torch.stack(lasting, dim=2)
    parts = (torch.stack(part, dim=2) for part in zip(*told, strict=True))
    return Episodes(*parts, live=None if live.all() else live)


def experience_of(
    policy: GaussianPolicy,
    episodes: Episodes,
    discounts: Discounts,
    baseline: LinearBaseline | None = None,
) -> tuple[Experience, LinearBaseline]:
    """Return the experience for the tasks' policy gradients, and the baseline it is counted from.

    Advantages are standardised task by task. Steps after an episode's end count nowhere.

    Without a baseline one is fitted, to the episodes of all tasks together: one task's are too few.
    """
    seen, live = policy.normalised(episodes.observations), episodes.live
    if baseline is None:
        returns = discounted(episodes.rewards, discounts.discount)
        baseline = LinearBaseline.fit(seen, returns, live=live)
    values = baseline.values(seen)
    if live is not None:
        values = torch.where(live, values, 0.0)  # nothing is to come once it is over
    advantages = generalised_advantages(
        episodes.rewards, values, discounts.discount, discounts.decay
    )
    return (
        Experience(
            episodes.observations.flatten(1, 2),
            episodes.actions.flatten(1, 2),
            episodes.log_probs.flatten(1, 2),
            standardised(advantages, live).flatten(1, 2),
            horizon=episodes.rewards.shape[-1],
            live=None if live is None else live.flatten(1, 2),
        ),
        baseline,
    )
