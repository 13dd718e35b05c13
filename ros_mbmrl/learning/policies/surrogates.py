"""Surrogates of the inner objective, by how much of its Hessian their second derivative holds.

Thesis, section 6.4 and appendix C.2: the Hessian of the expected return is H1 + H2 + H12 + H12^T
(eq. 14). All surrogates have the same gradient at the policy that acted; what automatic
differentiation makes of their second derivative is, in expectation:

| surrogate | second derivative | |
|---|---|---|
| `score_function` (eq. 52) | H2 | as the first MAML was implemented: no credit for exploration |
| `low_variance_curvature` (eq. 17) | H1 + H2 | biased, little variance |
| `dice` (eq. 15) | H1 + H2 + H12 + H12^T | unbiased, much variance |
| `inner_step.surrogate` (eq. 20) | H1 + H2 | ratio to the policy that acted, for several steps |

Each is a mean over transitions, in place of a sum over an episode, as eq. 20 is in `inner_step`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import torch
from torch import Tensor

from ros_mbmrl.networks.mlp import Parameters
from ros_mbmrl.policies.inner_step import Experience, Likelihood, Objective, surrogate


def score_function(policy: Likelihood, parameters: Parameters, experience: Experience) -> Tensor:
    """Return J^PGT of each task, (N,): eq. 52."""
    return experience.mean(_log_probs(policy, parameters, experience) * experience.advantages)


def low_variance_curvature(
    policy: Likelihood, parameters: Parameters, experience: Experience
) -> Tensor:
    """Return J^LVC of each task, (N,): eq. 17; the advantage is the sum of rewards to come."""
    ratio = _magic_box(_log_probs(policy, parameters, experience))
    return experience.mean(ratio * experience.advantages)


def dice(policy: Likelihood, parameters: Parameters, experience: Experience) -> Tensor:
    """Return J^DiCE of each task, (N,): eq. 15 and 78.

    The reward of step t is the advantage there less the advantage of the step after it. For sums
    of rewards to come that is r_t. With a baseline V it is r_t + V_{t+1} - V_t, which changes the
    expected return by a constant, so the second derivative stays unbiased.
    """
    episodes = (*experience.log_probs.shape[:-1], -1, experience.horizon)
    log_probs = _log_probs(policy, parameters, experience).reshape(episodes)
    product = _magic_box(log_probs.cumsum(-1))  # of the ratios up to step t
    return experience.mean((product * step_rewards(experience).reshape(episodes)).flatten(-2))


def step_rewards(experience: Experience) -> Tensor:
    """Return the rewards (N, B) whose undiscounted sums to come are the advantages."""
    shape = experience.advantages.shape
    advantages = experience.advantages.reshape(*shape[:-1], -1, experience.horizon)
    after = torch.nn.functional.pad(advantages[..., 1:], (0, 1))
    return (advantages - after).reshape(shape)


def pre_update_credit(
    policy: Likelihood, parameters: Parameters, experience: Experience, returns: Tensor
) -> Tensor:
    """Return the term that formulation II adds to the outer objective, (N,): eq. 46.

    Its gradient is sum_n grad log pi(tau_n) R(tau') over the episodes of a task before its update,
    over their length, as other objectives are. Every action before the update gets the same credit,
    the return after it. (Eq. 11 and 48 have a factor alpha more, which eq. 46 does not derive.)

    Args:
        policy: the policy.
        parameters: those before the update, (N, ...) each.
        experience: of the episodes before the update.
        returns: R(tau') of each task, a mean over its episodes after the update, (N,); less a
            baseline for less variance.
    """
    log_probs = _log_probs(policy, parameters, experience)
    if experience.live is not None:
        log_probs = torch.where(experience.live, log_probs, 0.0)
    return log_probs.sum(-1) / experience.length * returns


def clipped_surrogate(
    policy: Likelihood, parameters: Parameters, experience: Experience, clip: float
) -> Tensor:
    """Return J^CLIP of each task, (N,): eq. 120; a ratio beyond 1 +- clip gains nothing."""
    ratio = (_log_probs(policy, parameters, experience) - experience.log_probs).exp()
    held = ratio.clamp(1 - clip, 1 + clip)
    least = torch.minimum(ratio * experience.advantages, held * experience.advantages)
    return experience.mean(least)


def _log_probs(policy: Likelihood, parameters: Parameters, experience: Experience) -> Tensor:
    return policy.log_prob(parameters, experience.observations, experience.actions)


def _magic_box(log_probs: Tensor) -> Tensor:
    """Return 1 with the derivatives of exp(log_probs) over its value: eq. 77 and 78."""
    return (log_probs - log_probs.detach()).exp()


@dataclass(frozen=True)
class Estimator:
    """An estimator of the meta-gradient: the inner objective, and whether of formulation II."""

    inner: Objective
    second: bool = False


# By the names of figure 14, where they have one.
ESTIMATORS: Mapping[str, Estimator] = MappingProxyType(
    {
        "likelihood_ratio": Estimator(surrogate),
        "lvc": Estimator(low_variance_curvature),
        "dice": Estimator(dice),
        "maml": Estimator(score_function),
        "e_maml": Estimator(score_function, second=True),
    }
)
