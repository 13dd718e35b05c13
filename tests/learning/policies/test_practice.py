"""Practice before a run: each robot's own inner steps, in the situation that it will meet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch

from ros_mbmrl.agents.base import Context
from ros_mbmrl.learning.policies.practice import practise
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.policies.adapt import InnerConfig
from ros_mbmrl.policies.advantages import LinearBaseline
from ros_mbmrl.policies.files import LoadedPolicy
from ros_mbmrl.policies.gaussian import GaussianPolicy
from ros_mbmrl.policies.sampling import Tasks
from ros_mbmrl.robots import make_robot
from ros_mbmrl.simulation.simulated_robots import make_simulated
from ros_mbmrl.simulation.situations import Situation

INNER = InnerConfig(episodes=40, horizon=8, rate=0.1)
# Straight right, straight left.
GOALS = np.array([[1.0, 0.0], [-1.0, 0.0]])


def linear(observed: int, commands: int, inner: InnerConfig | None = INNER) -> LoadedPolicy:
    """A linear policy that does nothing yet, with a baseline of nothing."""
    mlp = MLP((observed, commands))
    policy = GaussianPolicy(mlp, torch.zeros(observed), torch.ones(observed))
    parameters = {
        "w0": torch.zeros(observed, commands),
        "b0": torch.zeros(commands),
        "log_std": torch.zeros(commands),
    }
    baseline = LinearBaseline(torch.zeros(2 * observed + 4, dtype=torch.float64))
    return LoadedPolicy(policy, parameters, {}, inner, (baseline,))


def context(tasks: Tasks, seeds: Sequence[int], goals: Any = None) -> Context:
    count = len(seeds)
    told = np.zeros((count, 0)) if goals is None else goals
    return Context(tasks.robot, seeds, [None] * count, told)  # type: ignore[list-item]


def adapted(tasks: Tasks, goals: Any, seeds: Sequence[int]) -> Parameters:
    return practise(linear(2, 2), tasks.make, goals, context(tasks, seeds))


def test_each_robot_learns_of_its_own_situation(point_tasks: Tasks) -> None:
    own = adapted(point_tasks, GOALS, [1, 2])
    assert own["b0"].shape == (2, 2)
    right, left = own["b0"][:, 0].tolist()
    assert right > 0 > left


def test_nobody_depends_on_the_others(point_tasks: Tasks) -> None:
    together = adapted(point_tasks, GOALS, [1, 2])
    for n, seed in enumerate((1, 2)):
        alone = adapted(point_tasks, GOALS[n : n + 1], [seed])
        for name, value in alone.items():
            torch.testing.assert_close(value[0], together[name][n])


def test_situations_of_an_arm_have_the_goals_of_the_run() -> None:
    tasks = Tasks(make_robot("arm_7dof"), lambda _: Situation(), make_simulated, goals=3)
    made: list[Any] = []

    def make(situations: Sequence[Situation], seeds: Sequence[int]) -> Any:
        made.append(make_simulated("arm_7dof", situations, seeds))
        return made[-1]

    goals = np.array([[0.1, 0.2, 0.3], [0.3, 0.2, 0.1]])
    observed = len(tasks.robot.spec.features) + 3
    policy = linear(observed, 7, InnerConfig(episodes=2, horizon=2))
    practise(policy, make, [Situation()] * 2, context(tasks, [1, 2], goals))
    (worlds,) = made
    assert worlds.goals == pytest.approx(np.repeat(goals, 2, axis=0))


def test_a_policy_that_does_not_adapt_is_refused(point_tasks: Tasks) -> None:
    with pytest.raises(ValueError, match="a policy that adapts"):
        practise(linear(2, 2, None), point_tasks.make, GOALS, context(point_tasks, [1, 2]))
