"""The inner step on a bandit whose gradients are known: reward -(a - goal)^2, a ~ N(mu, sigma)."""

from __future__ import annotations

import math

import torch

from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.policies.gaussian import GaussianPolicy, for_tasks
from ros_mbmrl.policies.inner_step import Experience, inner_step, surrogate

POLICY = GaussianPolicy(MLP((1, 1)), torch.zeros(1).double(), torch.ones(1).double())
GOALS, SIGMA, RATE, PULLS = torch.tensor([1.0, -0.5]).double(), 0.5, 0.2, 200_000


def parameters(mu: float) -> Parameters:
    """A policy that does not look: its only say is the bias, which is the mean."""
    zero = torch.zeros(1, 1).double()
    log_std = torch.tensor([math.log(SIGMA)]).double()
    return {"w0": zero, "b0": torch.tensor([mu]).double(), "log_std": log_std}


def pulls(own: Parameters, seed: int) -> Experience:
    """What each of two bandits paid."""
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(2, PULLS, 1, generator=generator, dtype=torch.float64)
    seen = torch.zeros(2, PULLS, 1).double()
    with torch.no_grad():
        actions = POLICY.sample(own, seen, noise)
        rewards = -((actions[..., 0] - GOALS[:, None]) ** 2)
        advantages = rewards - rewards.mean(1, keepdim=True)
        return Experience(seen, actions, POLICY.log_prob(own, seen, actions), advantages)


def test_it_goes_up_the_true_gradient_of_each_task() -> None:
    shared = for_tasks(parameters(0.3), 2)
    stepped = inner_step(POLICY, shared, pulls(shared, 0), RATE)
    # d/dmu E[-(a - g)^2] = -2 (mu - g); d/dlog_sigma = -2 sigma^2
    expected = 0.3 - RATE * 2 * (0.3 - GOALS)
    torch.testing.assert_close(stepped["b0"][:, 0], expected, atol=0.01, rtol=0.0)
    spread = torch.full((2,), math.log(SIGMA) - RATE * 2 * SIGMA**2).double()
    torch.testing.assert_close(stepped["log_std"][:, 0], spread, atol=0.01, rtol=0.0)
    assert not stepped["b0"].requires_grad


def test_the_meta_gradient_gives_the_pre_update_policy_its_credit() -> None:
    """d/dmu of the return after the step: -2 (1 - 2 rate)^2 (mu - g) for each task.

    One factor 1 - 2 rate is the step itself; the other is its derivative, and its part -2 rate is
    what the score function's surrogate leaves out: there H2 alone is about zero.
    """
    start = parameters(0.3)
    for value in start.values():
        value.requires_grad_()
    before = pulls(for_tasks(start, 2), 0)
    adapted = inner_step(POLICY, for_tasks(start, 2), before, RATE, differentiable=True)
    after = pulls({name: value.detach() for name, value in adapted.items()}, 1)
    gains = surrogate(POLICY, adapted, after)
    for task, goal in enumerate(GOALS.tolist()):
        (slope,) = torch.autograd.grad(gains[task], start["b0"], retain_graph=True)
        expected = -2 * (1 - 2 * RATE) ** 2 * (0.3 - goal)
        assert math.isclose(float(slope), expected, abs_tol=0.03)


def test_the_ratio_counts_actions_that_became_likelier() -> None:
    own = for_tasks(parameters(0.0), 2)
    told = pulls(own, 0)
    torch.testing.assert_close(surrogate(POLICY, own, told), told.advantages.mean(1))
    moved = for_tasks(parameters(0.1), 2)
    # The expected reward under the moved policy, less that under the one that acted.
    expected = -((0.1 - GOALS) ** 2) + GOALS**2
    torch.testing.assert_close(surrogate(POLICY, moved, told), expected, atol=0.01, rtol=0.0)
