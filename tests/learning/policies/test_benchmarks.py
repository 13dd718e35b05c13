"""Benchmarks as tasks: outside baselines run on them as they are."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ros_mbmrl.errors import UserError
from ros_mbmrl.learning.policies.benchmarks import benchmark_tasks
from ros_mbmrl.learning.policies.ppo import PPOConfig, train_ppo
from ros_mbmrl.learning.policies.trpo import TRPOConfig, train_trpo
from ros_mbmrl.networks.mlp import MLP
from ros_mbmrl.policies.adapt import InnerConfig, adapt, repeated
from ros_mbmrl.policies.gaussian import GaussianPolicy
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


def test_a_hopper_that_fell_has_no_further_steps() -> None:
    """Random parameters: rewards and experience end where the robot does."""
    tasks = benchmark_tasks("promp-hopper-rand-params")
    situations, seeds = tasks.drawn(np.random.default_rng(0), 2)
    inner = InnerConfig(episodes=3, horizon=60)
    policy = GaussianPolicy(MLP((tasks.observations, 3)), *torch.eye(2, tasks.observations) + 1)
    start = policy.init(torch.Generator().manual_seed(0))
    make = repeated(tasks.make, situations, inner.episodes)
    adapted = adapt(policy, start, inner, make, seeds)
    (found,), (experience,) = adapted.episodes, adapted.experiences
    assert found.live is not None
    lasted = found.live.sum(-1)
    assert (lasted < 60).all() and (lasted > 5).all()
    assert not found.rewards[~found.live].any() and (found.rewards[found.live] != 0).all()
    assert len(found.seen) == int(lasted.sum())
    means = experience.mean(experience.advantages)
    torch.testing.assert_close(means, torch.zeros(2), atol=1e-5, rtol=0.0)


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
    assert not benchmark_tasks("m3po-half-cheetah-fwd-bwd").one_reward
    assert benchmark_tasks("m3po-ant-crippled-leg").one_reward
