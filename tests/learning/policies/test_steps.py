"""Updates of a policy: gradients known beforehand, and a return that gets better."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial

import pytest
import torch
from torch import Generator, Tensor

from ros_mbmrl.learning.policies.steps import STEPS, StepConfig, clipped_surrogate
from ros_mbmrl.learning.policies.trust_region import TrustRegion
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.policies.gaussian import GaussianPolicy, for_tasks
from ros_mbmrl.policies.inner_step import Experience
from ros_mbmrl.policies.sampling import Discounts, Episodes

POLICY = GaussianPolicy(MLP((1, 1)), torch.zeros(1), torch.ones(1))
START: Parameters = {
    "w0": torch.zeros(1, 1),
    "b0": torch.zeros(1),
    "log_std": torch.full((1,), -1.0),
}
CONFIG = StepConfig(
    TrustRegion(max_kl=0.05, damping=1e-3), 0.02, minibatch=128, discounts=Discounts(0.5, 1.0)
)


def imagine(parameters: Parameters, seed: int = 0) -> Episodes:
    """Return 256 episodes of 2 steps with the reward -(action - 1)^2; what is seen is always 1."""
    noise = torch.randn(1, 256, 2, 1, generator=Generator().manual_seed(seed))
    seen = torch.ones(1, 256, 2, 1)
    flat = seen.flatten(1, 2), noise.flatten(1, 2)
    actions = POLICY.sample(parameters, *flat)
    likely = POLICY.log_prob(parameters, flat[0], actions)
    actions, likely = actions.view(seen.shape), likely.view(seen.shape[:-1])
    return Episodes(seen, actions, likely, -(actions[..., 0] - 1.0).square())


def mean(parameters: Parameters) -> float:
    return float(parameters["w0"][0, 0] + parameters["b0"][0])


@pytest.mark.parametrize("name", STEPS)
def test_every_step_leads_to_the_best_action(name: str) -> None:
    step = STEPS[name](POLICY, CONFIG, Generator().manual_seed(0))
    parameters, before = START, float(imagine(for_tasks(START, 1)).returns.mean())
    for k in range(25):
        parameters = step.update(parameters, partial(imagine, seed=k))
    assert mean(parameters) == pytest.approx(1.0, abs=0.25)
    assert float(imagine(for_tasks(parameters, 1)).returns.mean()) > before + 1
    assert not any(value.requires_grad for value in parameters.values())
    assert mean(START) == 0.0


@pytest.mark.parametrize("name", ["trpo", "ppo", "vpg"])
def test_episodes_may_end_early_in_imagination(name: str) -> None:
    """What is imagined in inference mode, the ends included, takes part in a gradient."""

    def ending(parameters: Parameters) -> Episodes:
        episodes = imagine(parameters)
        live = torch.ones_like(episodes.rewards, dtype=torch.bool)
        live[:, ::2, 1] = False
        return replace(episodes, rewards=torch.where(live, episodes.rewards, 0.0), live=live)

    step = STEPS[name](POLICY, CONFIG, Generator().manual_seed(0))
    assert mean(step.update(START, ending)) > 0.0


def test_bptt_follows_the_gradient_of_the_discounted_return() -> None:
    """One step of Adam moves each parameter by its rate, in the direction of the gradient."""
    config = replace(CONFIG, learning_rate=1e-3)
    step = STEPS["bptt"](POLICY, config, Generator())
    live = {name: value.clone().requires_grad_() for name, value in START.items()}
    rewards = imagine(for_tasks(live, 1)).rewards
    value = (rewards[..., 0] + 0.5 * rewards[..., 1]).mean()
    gradients = torch.autograd.grad(value, list(live.values()))
    after = step.update(START, imagine)
    for (name, start), gradient in zip(START.items(), gradients, strict=True):
        torch.testing.assert_close(after[name] - start, 1e-3 * gradient.sign(), rtol=1e-2, atol=0)


def test_a_gradient_that_is_not_finite_changes_nothing() -> None:
    def broken(parameters: Parameters) -> Episodes:
        episodes = imagine(parameters)
        return replace(episodes, rewards=episodes.rewards * math.inf)

    after = STEPS["bptt"](POLICY, CONFIG, Generator()).update(START, broken)
    assert all(torch.equal(after[name], value) for name, value in START.items())


def test_trpo_holds_the_divergence() -> None:
    config = replace(CONFIG, region=TrustRegion(max_kl=0.002, damping=1e-3))
    after = STEPS["trpo"](POLICY, config, Generator()).update(START, imagine)
    apart = POLICY.divergence(START, after, torch.ones(1, 1))
    assert 0.0005 < float(apart) <= 0.002


def experience_with(ratio: float, advantage: float) -> Experience:
    """Return one transition that the policy START makes `ratio` times as likely as before."""
    seen = actions = torch.zeros(1, 1, 1)
    likely = POLICY.log_prob(START, seen, actions) - math.log(ratio)
    return Experience(seen, actions, likely, torch.full((1, 1), advantage))


@pytest.mark.parametrize(
    ("ratio", "advantage", "expected"),
    [(1.1, 2.0, 2.2), (1.5, 2.0, 2.4), (0.5, 2.0, 1.0), (1.5, -2.0, -3.0), (0.5, -2.0, -1.6)],
)
def test_the_clipped_objective_by_hand(ratio: float, advantage: float, expected: float) -> None:
    rows: Tensor = torch.tensor([0])
    found = clipped_surrogate(POLICY, START, experience_with(ratio, advantage), rows, 0.2)
    assert float(found) == pytest.approx(expected, rel=1e-5)


def test_wrong_settings_are_refused() -> None:
    for wrong in ({"clip": 1.0}, {"learning_rate": 0.0}, {"epochs": 0}):
        with pytest.raises(ValueError, match="expected"):
            StepConfig(**wrong)
