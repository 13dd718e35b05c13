"""What belongs to a task stays with it over the episodes that a policy adapts on."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch

from ros_mbmrl.learning.policies.maml_rl import MAMLConfig, train_maml_rl
from ros_mbmrl.policies.adapt import InnerConfig, adapt, repeated, with_goals
from ros_mbmrl.policies.sampling import Tasks, noise_of, to_commands
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.spec import Array
from ros_mbmrl.simulation.environment import Environment
from ros_mbmrl.simulation.simulated_robots import make_simulated
from ros_mbmrl.simulation.situations import Situation

ARM = make_robot("arm_7dof")
ARMS = Tasks(ARM, lambda _: Situation(), partial(make_simulated, "arm_7dof"), goals=3)


def test_a_tasks_episodes_have_one_goal_and_starts_of_their_own() -> None:
    situations, seeds = ARMS.drawn(np.random.default_rng(0), 2)
    goals = ARMS.make(situations, seeds).goals
    situations = with_goals(situations, goals)
    made: list[Environment] = []

    def make(each: list[Situation], own: list[int]) -> Environment:
        made.append(ARMS.make(each, own))
        return made[-1]

    inner = InnerConfig(steps=2, episodes=3, horizon=2)
    trained = train_maml_rl(ARMS, MAMLConfig(budget=1, tasks=2, inner=inner, hidden=(4,)))
    adapted = adapt(trained.policy, trained.parameters, inner, repeated(make, situations, 3), seeds)
    assert len(made) == len(adapted.episodes) == 2
    for worlds, episodes in zip(made, adapted.episodes, strict=True):
        assert worlds.goals == pytest.approx(np.repeat(goals, 3, axis=0))
        seen = episodes.observations[:, :, 0]  # features, and then the goal
        assert seen[..., -3:].numpy() == pytest.approx(goals[:, None].repeat(3, 1), abs=1e-6)
    first, second = (episodes.observations[:, :, 0, :-3] for episodes in adapted.episodes)
    starts = torch.cat([first.flatten(0, 1), second.flatten(0, 1)])
    assert len(starts.unique(dim=0)) == 12


def test_actions_are_shares_of_each_commands_range() -> None:
    low, high = ARM.spec.action_low, ARM.spec.action_high

    def commands(value: float) -> Array:
        return to_commands(ARM.spec, np.full((2, 7), value))

    assert commands(-3.0) == pytest.approx(np.tile(low, (2, 1)))
    assert commands(1.0) == pytest.approx(np.tile(high, (2, 1)))
    assert commands(0.0) == pytest.approx(np.tile((low + high) / 2, (2, 1)))


def test_noise_of_an_episode_is_its_own() -> None:
    together = noise_of([3, 4], 5, 2)
    assert torch.equal(together[1:], noise_of([4], 5, 2))
    assert not torch.equal(together[0], together[1])


def test_wrong_settings_are_refused() -> None:
    for wrong in ({"episodes": 0}, {"horizon": 0}, {"steps": -1}, {"rate": 0.0}):
        with pytest.raises(ValueError, match="expected"):
            InnerConfig(**wrong)  # type: ignore[arg-type]
