"""MAML-RL: its outer gradient by finite differences, and a point that learns to find its goal."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from ros_mbmrl.errors import UserError
from ros_mbmrl.learning.policies.maml_rl import (
    MAMLConfig,
    flatten,
    outer_step,
    train_maml_rl,
    unflatten,
)
from ros_mbmrl.learning.policies.meta_learner import Sampled
from ros_mbmrl.learning.policies.trust_region import TrustRegion
from ros_mbmrl.networks.mlp import MLP
from ros_mbmrl.policies.adapt import InnerConfig, adapt, practise, repeated
from ros_mbmrl.policies.gaussian import GaussianPolicy, for_tasks
from ros_mbmrl.policies.inner_step import Experience, inner_step, surrogate
from ros_mbmrl.policies.sampling import Tasks

POLICY = GaussianPolicy(MLP((2, 4, 2)), torch.zeros(2).double(), torch.ones(2).double())
INNER = InnerConfig(episodes=4, horizon=20, rate=0.1)
CONFIG = MAMLConfig(budget=32_000, tasks=20, inner=INNER, hidden=(32, 32), seed=1)


def told(seed: int, tasks: int = 3) -> Experience:
    generator = torch.Generator().manual_seed(seed)
    shapes = ((tasks, 10, 2), (tasks, 10, 2), (tasks, 10), (tasks, 10))
    return Experience(
        *(torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes)
    )


def test_the_outer_gradient_is_that_of_the_surrogate_after_the_inner_steps() -> None:
    first = {n: v.double() for n, v in POLICY.init(torch.Generator().manual_seed(0)).items()}
    first["w1"] = torch.randn(4, 2, generator=torch.Generator().manual_seed(3)).double()
    before, after = (told(0), told(1)), told(2)

    def gain(theta: Tensor) -> Tensor:
        own = for_tasks(unflatten(theta, first), 3)
        for experience in before:
            own = inner_step(POLICY, own, experience, 0.1, differentiable=theta.requires_grad)
        return surrogate(POLICY, own, after).mean()

    theta = flatten(first)
    (slope,) = torch.autograd.grad(gain(theta.requires_grad_()), theta)
    size = 1e-6
    moved = theta.detach() + size * torch.eye(len(theta)).double()
    back = theta.detach() - size * torch.eye(len(theta)).double()
    numeric = [(gain(up) - gain(down)) / (2 * size) for up, down in zip(moved, back, strict=True)]
    torch.testing.assert_close(slope, torch.stack(numeric), rtol=1e-5, atol=1e-8)


def test_the_outer_step_stays_near_the_adapted_policies(point_tasks: Tasks) -> None:
    policy = GaussianPolicy(MLP((2, 8, 2)), torch.zeros(2), torch.ones(2))
    parameters = policy.init(torch.Generator().manual_seed(0))
    situations, seeds = point_tasks.drawn(np.random.default_rng(0), 5)
    make = repeated(point_tasks.make, situations, INNER.episodes)
    adapted = adapt(policy, parameters, INNER, make, seeds)
    episodes = practise(policy, adapted.parameters, INNER, make, seeds, phase=1)
    flat = [part.flatten(1, 2) for part in (episodes.observations, episodes.actions)]
    after = Experience(*flat, episodes.log_probs.flatten(1), torch.randn(5, 80))
    sampled = Sampled(policy, parameters, adapted, after, episodes.returns.mean(-1))
    stepped = outer_step(sampled, INNER.rate, TrustRegion(max_kl=0.05))
    assert stepped.accepted and stepped.improvement > 0
    moved = for_tasks(unflatten(stepped.theta, parameters), 5)
    moved = inner_step(policy, moved, adapted.experiences[0], INNER.rate)
    apart = policy.divergence(adapted.parameters, moved, after.observations).mean()
    assert float(apart) == pytest.approx(stepped.kl, rel=1e-4)
    assert 0 < stepped.kl <= 0.05


def test_a_point_learns_to_go_where_its_first_episodes_tell(point_tasks: Tasks) -> None:
    curve = train_maml_rl(point_tasks, CONFIG).curve
    before = np.mean([point.mean_return_before for point in curve[-3:]])
    after = np.mean([point.mean_return for point in curve[-3:]])
    # Standing still gives -20, and nobody can know the goal beforehand.
    assert before < -18
    assert after > before + 5
    assert curve[-1].transitions == CONFIG.budget


def test_without_inner_steps_it_is_trpo(one_goal: Tasks) -> None:
    config = replace(CONFIG, inner=replace(INNER, steps=0), budget=16_000)
    curve = train_maml_rl(one_goal, config).curve
    assert curve[-1].mean_return == curve[-1].mean_return_before
    assert curve[-1].mean_return > curve[0].mean_return + 10


def test_a_run_that_goes_on_is_the_run_that_was_not_broken_off(
    point_tasks: Tasks, tmp_path: Path
) -> None:
    config = replace(CONFIG, tasks=2, budget=4 * 2 * 2 * 20 * 4)
    whole = train_maml_rl(point_tasks, config)
    first = train_maml_rl(point_tasks, replace(config, budget=config.budget // 2), tmp_path)
    assert len(first.curve) == 2
    second = train_maml_rl(point_tasks, config, tmp_path)
    again = train_maml_rl(point_tasks, config, tmp_path)
    for run in (second, again):
        assert run.curve == whole.curve
        assert all(torch.equal(run.parameters[n], v) for n, v in whole.parameters.items())
        assert torch.equal(run.policy.std, whole.policy.std)
        assert torch.equal(run.baselines[0].weights, whole.baselines[0].weights)
    with pytest.raises(UserError, match="of another run: tasks is 2, expected 3"):
        train_maml_rl(point_tasks, replace(config, tasks=3), tmp_path)


def test_a_task_adapts_by_itself(point_tasks: Tasks) -> None:
    trained = train_maml_rl(point_tasks, replace(CONFIG, tasks=2, budget=1))
    situations, seeds = point_tasks.drawn(np.random.default_rng(5), 3)

    def adapted(which: slice) -> dict[str, Tensor]:
        make = repeated(point_tasks.make, situations[which], INNER.episodes)
        own = (trained.policy, trained.parameters, INNER)
        return adapt(*own, make, seeds[which], trained.baselines).parameters

    together, alone = adapted(slice(None)), adapted(slice(1, 2))
    for name, value in alone.items():
        torch.testing.assert_close(value, together[name][1:2], rtol=1e-4, atol=1e-6)
    assert not torch.allclose(together["w0"][0], together["w0"][1])
