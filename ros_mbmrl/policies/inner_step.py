"""The inner step of gradient-based meta-RL: one policy-gradient step on each task's experience."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import torch
from torch import Tensor

from ros_mbmrl.networks.mlp import Parameters
from ros_mbmrl.policies.advantages import mean_of


class Likelihood(Protocol):
    """A policy, as far as a policy gradient needs one."""

    def log_prob(self, parameters: Parameters, observations: Tensor, actions: Tensor) -> Tensor:
        """Return log pi(a | o), (N, B), under parameters of N tasks, (N, ...) each."""


@dataclass(frozen=True)
class Experience:
    """Transitions of N tasks, B each.

    observations: (N, B, do). actions: (N, B, da). log_probs: (N, B), under the policy that chose
    the actions. advantages: (N, B). horizon: transitions of an episode; B is whole episodes, one
    after the other. live: (N, B) bool, False for what came after an episode's end, whose advantages
    are 0; None: all episodes last.
    """

    observations: Tensor
    actions: Tensor
    log_probs: Tensor
    advantages: Tensor
    horizon: int = 1
    live: Tensor | None = None

    def __post_init__(self) -> None:
        transitions = self.log_probs.shape[-1]
        if self.horizon < 1 or transitions % self.horizon:
            raise ValueError(
                f"horizon: expected one that {transitions} transitions are whole episodes of, "
                f"got {self.horizon}"
            )

    def mean(self, values: Tensor) -> Tensor:
        """Return the means of values (N, B) over each task's transitions, (N,)."""
        return mean_of(values, self.live)

    @property
    def length(self) -> Tensor | float:
        """Return how many transitions an episode has, a mean over each task's, (N,)."""
        if self.live is None:
            return float(self.horizon)
        return self.live.sum(-1) / (self.live.shape[-1] // self.horizon)


# objective(policy, parameters of N tasks, experience) -> what to make large for each task, (N,)
Objective: TypeAlias = Callable[[Likelihood, Parameters, Experience], Tensor]


def surrogate(policy: Likelihood, parameters: Parameters, experience: Experience) -> Tensor:
    """J^LR of each task, (N,): thesis, eq. 20, a mean over transitions in place of their sum.

    The likelihood ratio to the policy that acted, not the score function: so its second
    derivative has the terms H1 and H2 of eq. 14, and the pre-update policy is given credit for
    what adaptation makes of its actions. At the policy that acted, all derivatives are those of
    the low-variance-curvature estimator (eq. 17); away from it, as in a line search, it accounts
    for the actions having become more or less likely.
    """
    chosen = policy.log_prob(parameters, experience.observations, experience.actions)
    ratio = (chosen - experience.log_probs).exp()
    return experience.mean(ratio * experience.advantages)


def inner_step(
    policy: Likelihood,
    parameters: Parameters,
    experience: Experience,
    rate: float,
    differentiable: bool = False,
    objective: Objective = surrogate,
) -> Parameters:
    """theta' = theta + rate * grad J(theta) for each of N tasks; J is J^LR unless told otherwise.

    parameters: of the tasks, (N, ...) each (`for_tasks`). differentiable: keep the graph, so that
    gradients pass through the step to what the parameters came from. objective: J; at the policy
    that acted all of them have the same gradient, and differ in their second derivative.
    """
    names = list(parameters)
    with torch.enable_grad():
        own = parameters
        if not differentiable:
            own = {name: value.detach().requires_grad_() for name, value in parameters.items()}
        total = objective(policy, own, experience).sum()  # no task has a part in another's
        gradients = torch.autograd.grad(
            total, [own[name] for name in names], create_graph=differentiable
        )
    return {
        name: parameters[name] + rate * gradient
        for name, gradient in zip(names, gradients, strict=True)
    }
