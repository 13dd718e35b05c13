"""Estimates of how far a policy is from the one that gathered the data: M3PO, appendix A.6."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from ros_mbmrl.errors import UserError
from ros_mbmrl.evaluation.guarantees.model_error import bounded
from ros_mbmrl.networks.mlp import Parameters
from ros_mbmrl.policies.gaussian import GaussianPolicy
from ros_mbmrl.policies.mlp_policy import MLPPolicy
from ros_mbmrl.policies.squashed import SquashedPolicy

STEPS, ROWS, RATE = 1500, 256, 1e-3  # of the fit: updates, transitions in each, and of Adam
INSIDE = 0.999  # a squashed action that is at the limit has no finite one before squashing


@dataclass(frozen=True)
class PolicyDivergence:
    """Distances between a policy and the one that gathered the data, over the data's states.

    Args:
        divergence: mean KL divergence of the policy from the other [nat]; what A.6 draws.
        variation: estimate of epsilon_pi, the largest total variation distance (definition 2).
        mean_variation: its mean.
        distance: largest Wasserstein distance of the actions, in units of the robot's range.
        mean_distance: its mean.
        states: at which they were compared.
    """

    divergence: float
    variation: float
    mean_variation: float
    distance: float
    mean_distance: float
    states: int


def gaussian_of(
    policy: MLPPolicy, parameters: Parameters, observations: Tensor
) -> tuple[Tensor, Tensor]:
    """Return mean and logarithm of the deviation (B, da) of the actions, before any squashing.

    Raises:
        UserError: a policy of a kind that has neither.
    """
    if isinstance(policy, SquashedPolicy):
        return policy.moments(parameters, observations)
    if not isinstance(policy, GaussianPolicy):
        raise UserError(f"expected a Gaussian policy, got a {type(policy).__name__}")
    mean = policy.means(parameters, observations)
    return mean, parameters["log_std"].expand(mean.shape)


def behaviour_policy(
    policy: MLPPolicy,
    observations: Tensor,
    actions: Tensor,
    generator: Generator,
    steps: int = STEPS,
) -> Parameters:
    """Fit pi_D, of the policy's own shape, to real data by maximum likelihood.

    Args:
        policy: whose shape and normalisation are taken.
        observations: (M, do).
        actions: (M, da), -1 for the lowest command and 1 for the highest.
        generator: of the first parameters and of the batches.
        steps: updates of Adam.
    """
    raw = actions
    if isinstance(policy, SquashedPolicy):
        raw = torch.atanh(actions.clamp(-INSIDE, INSIDE))
    live = {k: v.clone().requires_grad_() for k, v in _begun(policy, generator).items()}
    optimiser = torch.optim.Adam(live.values(), lr=RATE)
    for _ in range(steps):
        rows = torch.randint(len(raw), (ROWS,), generator=generator)
        mean, log_std = gaussian_of(policy, live, observations[rows])
        loss = (0.5 * ((raw[rows] - mean) / log_std.exp()).square() + log_std).sum(-1).mean()
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
    return {name: value.detach() for name, value in live.items()}


def _begun(policy: MLPPolicy, generator: Generator) -> Parameters:
    """Return parameters to begin a fit with."""
    if not isinstance(policy, SquashedPolicy | GaussianPolicy):
        raise UserError(f"expected a Gaussian policy, got a {type(policy).__name__}")
    return policy.init(generator)


@torch.no_grad()
def policy_divergence(
    policy: MLPPolicy, behaviour: Parameters, current: Parameters, observations: Tensor
) -> PolicyDivergence:
    """Return how far two policies of one shape are apart.

    Squashing keeps divergences, and makes no distance longer. Wasserstein distances are bounded by
    the second one of the Gaussians, which has a closed form.

    Args:
        policy: their shape.
        behaviour: of the policy that gathered the data, see `behaviour_policy`.
        current: of the policy to judge.
        observations: (M, do), at which they are compared.
    """
    own, other = (gaussian_of(policy, each, observations) for each in (current, behaviour))
    divergence = _divergence(*own, *other)
    # The total variation distance has no direction, so either divergence bounds it.
    apart = bounded(torch.minimum(divergence, _divergence(*other, *own)))
    spreads = own[1].exp() - other[1].exp()
    away = ((own[0] - other[0]).square() + spreads.square()).sum(-1).sqrt()
    return PolicyDivergence(
        float(divergence.mean()),
        float(apart.max()),
        float(apart.mean()),
        float(away.max()),
        float(away.mean()),
        len(observations),
    )


def _divergence(mean: Tensor, log_std: Tensor, of_mean: Tensor, of_log_std: Tensor) -> Tensor:
    """Return the KL divergence (B,) of a Gaussian from another one."""
    spread = ((2 * log_std).exp() + (mean - of_mean).square()) / (2 * (2 * of_log_std).exp())
    return (of_log_std - log_std + spread - 0.5).sum(-1)
