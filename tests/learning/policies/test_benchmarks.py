"""Benchmarks as tasks: outside baselines run on them as they are."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ros_mbmrl.errors import UserError
from ros_mbmrl.learning.policies.benchmarks import benchmark_tasks
from ros_mbmrl.learning.policies.ppo import PPOConfig, train_ppo
from ros_mbmrl.learning.policies.trpo import TRPOConfig, train_trpo
from ros_mbmrl.policies.imagined import reward_of

SIZES = {"budget": 800, "worlds": 4, "horizon": 50, "hidden": (8,)}


def test_tasks_are_of_the_row() -> None:
    tasks = benchmark_tasks("promp-ant-rand-direc")
    situations, seeds = tasks.drawn(np.random.default_rng(0), 3)
    robots = tasks.make(situations, seeds)
    assert robots.observe().shape == (3, tasks.observations)
    assert len({situation.course for situation in situations}) == 3
    with pytest.raises(UserError, match="unknown environment"):
        benchmark_tasks("moon")


@pytest.mark.parametrize("name", ["me-trpo-swimmer", "promp-hopper-rand-params"])
def test_the_outside_baselines_run_on_them(name: str) -> None:
    pytest.importorskip("sb3_contrib")
    tasks = benchmark_tasks(name)
    for trained in (
        train_trpo(tasks, TRPOConfig(**SIZES)),
        train_ppo(tasks, PPOConfig(**SIZES)),
    ):
        assert [point.transitions for point in trained.curve] == [200, 400, 600, 800]
        assert np.isfinite([point.mean_return for point in trained.curve]).all()


@pytest.mark.parametrize("name", ["me-trpo-swimmer", "me-trpo-hopper", "mbbl-half-cheetah"])
def test_imagination_rewards_as_the_environment_does(name: str) -> None:
    """The robot's first task would pay half as much for effort on mbbl-half-cheetah."""
    tasks, rng = benchmark_tasks(name), np.random.default_rng(0)
    environment = tasks.make(*tasks.drawn(rng, 3))
    spec = tasks.robot.spec
    commands = rng.uniform(spec.action_low, spec.action_high, (3, len(spec.action)))
    before = environment.states()
    rewards = environment.step(commands).reward
    assert tasks.task is not None
    pairs = (torch.from_numpy(each) for each in (before, commands, environment.states()))
    np.testing.assert_allclose(reward_of(tasks.task)(*pairs).numpy(), rewards, atol=1e-5)


def test_drawn_courses_have_no_reward_in_common() -> None:
    assert benchmark_tasks("promp-half-cheetah-fwd-back").task is None
    assert benchmark_tasks("promp-hopper-rand-params").task is not None
