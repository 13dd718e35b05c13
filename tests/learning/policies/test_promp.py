"""ProMP: its objective by hand, its penalty, and a point that learns to find its goal."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ros_mbmrl.errors import UserError
from ros_mbmrl.learning.policies.maml_vpg import meta_objective
from ros_mbmrl.learning.policies.meta_learner import Sampled, inner_phases
from ros_mbmrl.learning.policies.promp import (
    ProMPConfig,
    ProMPStep,
    adapted_coefficient,
    objective,
    train_promp,
)
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.policies.adapt import InnerConfig, adapt, practise, repeated
from ros_mbmrl.policies.gaussian import GaussianPolicy
from ros_mbmrl.policies.sampling import Tasks, experience_of

INNER = InnerConfig(episodes=4, horizon=20, rate=0.1)
CONFIG = ProMPConfig(budget=32_000, tasks=20, inner=INNER, hidden=(32, 32), seed=1)


@pytest.fixture
def sampled(point_tasks: Tasks) -> Sampled:
    """One iteration's samples of five points, with two inner steps."""
    inner = replace(INNER, steps=2)
    policy = GaussianPolicy(MLP((2, 8, 2)), torch.zeros(2), torch.ones(2))
    parameters = policy.init(torch.Generator().manual_seed(0))
    situations, seeds = point_tasks.drawn(np.random.default_rng(0), 5)
    make = repeated(point_tasks.make, situations, inner.episodes)
    adapted = adapt(policy, parameters, inner, make, seeds)
    after = practise(policy, adapted.parameters, inner, make, seeds, phase=2)
    experience, _ = experience_of(policy, after, inner.discounts)
    return Sampled(policy, parameters, adapted, experience, after.returns.mean(-1))


def live(parameters: Parameters) -> Parameters:
    return {name: value.clone().requires_grad_() for name, value in parameters.items()}


def test_at_theta_o_its_gradient_is_the_low_variance_curvatures(sampled: Sampled) -> None:
    """Eq. 20: the same derivatives at the policy that acted; the penalty's gradient is 0 there."""
    acted = inner_phases(sampled, sampled.parameters, INNER.rate, differentiable=False)
    for name, value in sampled.adapted.parameters.items():
        torch.testing.assert_close(acted[-1][name], value, rtol=1e-4, atol=1e-6)
    theta = live(sampled.parameters)
    gain, moved = objective(sampled, theta, acted, CONFIG)
    found = torch.autograd.grad(gain - moved, list(theta.values()))
    lvc = meta_objective(sampled, theta, INNER.rate, "lvc")
    expected = torch.autograd.grad(lvc, list(theta.values()))
    for own, other in zip(found, expected, strict=True):
        torch.testing.assert_close(own, other, rtol=1e-3, atol=1e-5)
    assert float(moved.detach()) == pytest.approx(0.0, abs=1e-6)


def test_estimators_and_formulations_have_gradients_of_their_own(sampled: Sampled) -> None:
    theta = live(sampled.parameters)
    slopes = {}
    for name in ("lvc", "dice", "maml", "e_maml"):
        told = meta_objective(sampled, theta, INNER.rate, name)
        found = torch.autograd.grad(told, list(theta.values()))
        slopes[name] = torch.cat([each.flatten() for each in found])
    for one, other in (("lvc", "dice"), ("lvc", "maml"), ("maml", "e_maml")):
        assert not torch.allclose(slopes[one], slopes[other], rtol=1e-2)


def test_the_penalty_is_the_divergence_before_the_update(sampled: Sampled) -> None:
    acted = inner_phases(sampled, sampled.parameters, INNER.rate, differentiable=False)
    moved = {name: value + 0.05 for name, value in sampled.parameters.items()}
    _, penalty = objective(sampled, moved, acted, CONFIG)
    now = inner_phases(sampled, moved, INNER.rate, differentiable=False)
    policy, seen = sampled.policy, sampled.adapted.experiences
    first = policy.divergence(acted[0], now[0], seen[0].observations).mean()
    second = policy.divergence(acted[1], now[1], seen[1].observations).mean()
    torch.testing.assert_close(penalty, (first + second) / 2)
    assert penalty > 0


def test_several_steps_gain_more_and_the_penalty_holds_them_back(sampled: Sampled) -> None:
    acted = inner_phases(sampled, sampled.parameters, INNER.rate, differentiable=False)

    def gained(config: ProMPConfig) -> tuple[float, float]:
        theta, told = ProMPStep(config).step(sampled)
        better, moved = objective(sampled, theta, acted, CONFIG)
        assert told["kl"] == pytest.approx(float(moved))
        return float(better), float(moved)

    config = replace(CONFIG, outer_rate=0.01)
    one, one_far = gained(replace(config, outer_steps=1))
    five, five_far = gained(config)
    assert five > one > 0 and five_far > one_far > 0
    held, held_far = gained(replace(config, kl_coefficient=100.0))
    assert held_far < five_far and held < five


def test_the_coefficient_follows_the_divergence(sampled: Sampled) -> None:
    assert adapted_coefficient(0.4, kl=0.05, target=0.1) == 0.2
    assert adapted_coefficient(0.4, kl=0.16, target=0.1) == 0.8
    assert adapted_coefficient(0.4, kl=0.1, target=0.1) == 0.4
    step = ProMPStep(replace(CONFIG, kl_target=10.0))
    step.step(sampled)
    assert step.coefficient == CONFIG.kl_coefficient / 2
    fixed = ProMPStep(CONFIG)
    fixed.step(sampled)
    assert fixed.coefficient == CONFIG.kl_coefficient


def test_a_point_learns_to_go_where_its_first_episodes_tell(point_tasks: Tasks) -> None:
    curve = train_promp(point_tasks, replace(CONFIG, outer_rate=0.01)).curve
    before = np.mean([point.mean_return_before for point in curve[-3:]])
    after = np.mean([point.mean_return for point in curve[-3:]])
    # Standing still gives -20, and nobody can know the goal beforehand.
    assert before < -18
    assert after > before + 3
    assert curve[-1].transitions == CONFIG.budget


def test_a_run_that_goes_on_is_the_run_that_was_not_broken_off(
    point_tasks: Tasks, tmp_path: Path
) -> None:
    config = replace(CONFIG, tasks=2, budget=4 * 2 * 2 * 20 * 4, kl_target=0.01)
    whole = train_promp(point_tasks, config)
    train_promp(point_tasks, replace(config, budget=config.budget // 2), tmp_path)
    second = train_promp(point_tasks, config, tmp_path)
    again = train_promp(point_tasks, config, tmp_path)
    for run in (second, again):
        assert run.curve == whole.curve
        assert all(torch.equal(run.parameters[n], v) for n, v in whole.parameters.items())
    with pytest.raises(UserError, match="of another run: clip is 0.3, expected 0.2"):
        train_promp(point_tasks, replace(config, clip=0.2), tmp_path)


def test_wrong_settings_are_refused() -> None:
    for wrong in ({"clip": 1.0}, {"outer_steps": 0}, {"outer_rate": 0.0}):
        with pytest.raises(ValueError, match="expected outer_rate above 0, outer_steps from 1"):
            ProMPConfig(**wrong)  # type: ignore[arg-type]
    for wrong in ({"kl_coefficient": -1.0}, {"kl_target": 0.0}):
        with pytest.raises(ValueError, match="expected kl_coefficient from 0"):
            ProMPConfig(**wrong)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="at least 1 step"):
        ProMPConfig(inner=replace(INNER, steps=0))
