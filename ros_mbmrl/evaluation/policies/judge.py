"""Real return of a trained policy without exploration, after practice if it is one that adapts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ros_mbmrl.networks.mlp import Parameters
from ros_mbmrl.policies.adapt import (
    InnerConfig,
    adapt,
    practise,
    repeated,
    start_of,
    with_goals,
)
from ros_mbmrl.policies.gaussian import GaussianPolicy, as_gaussian, for_tasks, without_noise
from ros_mbmrl.policies.remembering import mean_episodes
from ros_mbmrl.policies.sampling import Episodes, Tasks
from ros_mbmrl.policies.trained import TrainedPolicy
from ros_mbmrl.simulation.situations import Situation

TEST = 2**20  # in place of a phase's number, in the seeds of the test episodes
DIGITS = 3  # of positions that are kept


@dataclass(frozen=True)
class Judged:
    """Real episodes of N tests, the same for all policies that are judged with one seed.

    Args:
        returns: of the adapted policies (N,), mean actions.
        before: the same before adaptation; None where nothing adapts.
        explored: episodes of the first practice, with noise; None where nothing adapts.
        after: episodes that `returns` are of.
        goals: (N, 2 or 3) of situations that have one, else none.
    """

    returns: tuple[float, ...]
    before: tuple[float, ...] | None
    explored: Episodes | None
    after: Episodes
    goals: tuple[tuple[float, ...], ...]

    def paths(self) -> dict[str, Any]:
        """Return observed positions (N, T, 2) [m] while exploring and at the end, and the goals."""
        shown = [self.after if self.explored is None else self.explored, self.after]
        explored, after = (each.observations[:, 0, :, :2] for each in shown)
        return {"explored": _rounded(explored), "after": _rounded(after), "goals": self.goals}


def judge(
    tasks: Tasks, trained: TrainedPolicy, inner: InnerConfig, count: int, seed: int
) -> Judged:
    """Run `count` real episodes of the policy's mean action, each in a task of its own.

    Args:
        tasks: situations, and environments of them.
        trained: the policy.
        inner: its adaptation; without steps nothing adapts. Its horizon is that of the episodes.
        count: of tests.
        seed: of the tasks and of their starts.
    """
    situations, seeds = tasks.drawn(np.random.default_rng(seed), count)
    if tasks.goals:
        situations = with_goals(situations, tasks.make(situations, seeds).goals)
    if not isinstance(trained.policy, GaussianPolicy):
        robots = tasks.make(situations, [start_of(seed, TEST, 0) for seed in seeds])
        after = mean_episodes(trained.policy, trained.parameters, robots, inner.horizon)
        return Judged(_returns(after), None, None, after, _goals(situations))
    many = repeated(tasks.make, situations, inner.episodes)
    policy = as_gaussian(trained.policy)
    own = (policy, trained.parameters, inner, many, seeds, trained.baselines)
    adapted = adapt(*own)
    one, once = replace(inner, episodes=1), repeated(tasks.make, situations, 1)

    @torch.no_grad()
    def tested(parameters: Parameters) -> Episodes:
        return practise(policy, without_noise(parameters), one, once, seeds, TEST)

    after = tested(adapted.parameters)
    before = tested(for_tasks(trained.parameters, count)) if inner.steps else None
    return Judged(
        _returns(after),
        None if before is None else _returns(before),
        adapted.episodes[0] if inner.steps else None,
        after,
        _goals(situations),
    )


def _goals(situations: Sequence[Situation]) -> tuple[tuple[float, ...], ...]:
    """Return the goals of situations that have one."""
    told = [getattr(each, "goal", None) for each in situations]
    return tuple(tuple(goal) for goal in told if goal is not None)


def _returns(episodes: Episodes) -> tuple[float, ...]:
    returns: Sequence[float] = episodes.returns[:, 0].tolist()
    return tuple(returns)


def _rounded(positions: Tensor) -> list[Any]:
    rounded: list[Any] = np.round(positions.double().numpy(), DIGITS).tolist()
    return rounded
