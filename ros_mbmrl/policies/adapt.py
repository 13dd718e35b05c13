"""Adaptation of a meta-trained policy to a task, in training as at test time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from ros_mbmrl.networks.mlp import Parameters
from ros_mbmrl.policies.advantages import LinearBaseline
from ros_mbmrl.policies.gaussian import GaussianPolicy, for_tasks
from ros_mbmrl.policies.inner_step import Experience, inner_step
from ros_mbmrl.policies.sampling import (
    Discounts,
    Episodes,
    experience_of,
    noise_of,
    sample_episodes,
)
from ros_mbmrl.robots.spec import Array

if TYPE_CHECKING:
    from ros_mbmrl.simulation.environment import Environment
    from ros_mbmrl.simulation.situations import Situation

# make(seeds) -> N tasks, M rows each and the M of a task together, one for each seed
Make = Callable[[Sequence[int]], "Environment"]


@dataclass(frozen=True)
class InnerConfig:
    """Settings of a policy's adaptation to a task.

    steps: of policy gradient, each on `episodes` episodes of `horizon` periods; none: nothing
    adapts, and MAML-RL is TRPO. rate: their size; 0.1 with the 20 episodes of the paper, less with
    few, whose gradients are mostly noise.
    """

    steps: int = 1
    episodes: int = 1
    horizon: int = 200
    rate: float = 0.02
    discounts: Discounts = field(default_factory=Discounts)

    def __post_init__(self) -> None:
        if min(self.episodes, self.horizon) < 1 or self.steps < 0 or not self.rate > 0:
            raise ValueError("expected episodes, horizon above 0, steps from 0 and a rate above 0")


@dataclass(frozen=True)
class AdaptedPolicies:
    """Adapted parameters of N tasks (N, ...), and the episodes and baselines of each inner step."""

    parameters: Parameters
    episodes: tuple[Episodes, ...]
    experiences: tuple[Experience, ...]
    baselines: tuple[LinearBaseline, ...]


def adapt(
    policy: GaussianPolicy,
    parameters: Parameters,
    config: InnerConfig,
    make: Make,
    seeds: Sequence[int],
    baselines: Sequence[LinearBaseline] = (),
) -> AdaptedPolicies:
    """Take the inner steps of as many tasks as there are `seeds`, each on episodes of its own.

    baselines: one for each step, so that no task's step depends on the other tasks; they are
    fitted to all of them where none are given, as in training.
    """
    own = for_tasks(parameters, len(seeds))
    episodes: list[Episodes] = []
    experiences: list[Experience] = []
    fitted: list[LinearBaseline] = []
    for step in range(config.steps):
        episodes.append(practise(policy, own, config, make, seeds, step))
        known = baselines[step] if baselines else None
        experience, baseline = experience_of(policy, episodes[-1], config.discounts, known)
        own = inner_step(policy, own, experience, config.rate)
        experiences.append(experience)
        fitted.append(baseline)
    return AdaptedPolicies(own, tuple(episodes), tuple(experiences), tuple(fitted))


def practise(
    policy: GaussianPolicy,
    parameters: Parameters,
    config: InnerConfig,
    make: Make,
    seeds: Sequence[int],
    phase: int,
) -> Episodes:
    """Run M episodes of each of N tasks' parameters (N, ...); phase: 0, 1, ... of the tasks."""
    each = [start_of(seed, phase, k) for seed in seeds for k in range(config.episodes)]
    noise = noise_of(each, config.horizon, parameters["log_std"].shape[-1])
    return sample_episodes(policy, parameters, make(each), noise)


def start_of(seed: int, phase: int, episode: int) -> int:
    """Return the seed of an episode's start, of the task's seed and the phase; see `practise`."""
    return int(np.random.SeedSequence((seed, phase, episode)).generate_state(1)[0])


def repeated(
    make: Callable[[Sequence[Situation], Sequence[int]], Environment],
    situations: Sequence[Situation],
    episodes: int,
) -> Make:
    """Return what `adapt` makes its environments by, of N situations: M episodes of each."""
    each = [situation for situation in situations for _ in range(episodes)]
    return lambda seeds: make(each, seeds)


def with_goals(situations: Sequence[Situation], goals: Array) -> list[Situation]:
    """Return the situations with goals (N, 3) [m]: a task keeps its goal over its episodes."""
    pairs = zip(situations, goals.tolist(), strict=True)
    return [replace(situation, goal=tuple(goal)) for situation, goal in pairs]
