"""Updates of a policy on imagined episodes: TRPO, PPO, VPG, and BPTT through the model.

A step is given parameters and a way to imagine, and returns better parameters. Those of Adam keep
its moments for as long as they live: an iteration of Algorithm 1 or 2.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Protocol

import torch
from torch import Generator, Tensor

from ros_mbmrl.learning.policies.maml_rl import flatten, unflatten
from ros_mbmrl.learning.policies.trust_region import TrustRegion, trust_region_step
from ros_mbmrl.networks.mlp import Parameters
from ros_mbmrl.policies.gaussian import GaussianPolicy, for_tasks
from ros_mbmrl.policies.inner_step import Experience, surrogate
from ros_mbmrl.policies.sampling import Discounts, Episodes, experience_of

# imagine(parameters (1, ...)) -> episodes of one task, differentiable by the parameters
Imagine = Callable[[Parameters], Episodes]
Objective = Callable[[Parameters], Tensor]


@dataclass(frozen=True)
class StepConfig:
    """Settings of the steps.

    region: of TRPO. learning_rate: of Adam. clip, epochs, minibatch: of PPO, its clip range and
    the passes over an update's transitions. gradient_limit: norm that BPTT's gradient is cut to.
    discounts: of rewards, and of GAE.
    """

    region: TrustRegion = TrustRegion()
    learning_rate: float = 3e-4
    clip: float = 0.2
    epochs: int = 5
    minibatch: int = 500
    gradient_limit: float = 1.0
    discounts: Discounts = field(default_factory=Discounts)

    def __post_init__(self) -> None:
        if not (self.learning_rate > 0 and 0 < self.clip < 1 and self.gradient_limit > 0):
            raise ValueError("expected learning_rate, gradient_limit above 0, clip from 0 to 1")
        if min(self.epochs, self.minibatch) < 1:
            raise ValueError("epochs, minibatch: expected at least 1")


class Step(Protocol):
    """Improve parameters by one update."""

    def update(self, parameters: Parameters, imagine: Imagine) -> Parameters:
        """Return better parameters of the policy."""


class TRPOStep:
    """One trust-region step (Schulman et al. 2015)."""

    def __init__(self, policy: GaussianPolicy, config: StepConfig, generator: Generator) -> None:
        self._policy, self._config = policy, config

    def update(self, parameters: Parameters, imagine: Imagine) -> Parameters:
        """See `Step.update`."""
        policy, config = self._policy, self._config
        experience = sampled(policy, parameters, imagine, config.discounts)
        acting = for_tasks(parameters, 1)

        def objective(theta: Tensor) -> tuple[Tensor, Tensor]:
            own = for_tasks(unflatten(theta, parameters), 1)
            divergence = policy.divergence(acting, own, experience.observations)
            return surrogate(policy, own, experience).mean(), divergence.mean()

        stepped = trust_region_step(flatten(parameters), objective, config.region)
        return unflatten(stepped.theta, parameters)


class AdamStep:
    """Ascend an objective by Adam; those of one kind differ in what they ascend."""

    def __init__(self, policy: GaussianPolicy, config: StepConfig, generator: Generator) -> None:
        self._policy, self._config, self._generator = policy, config, generator
        self._live: Parameters = {}
        self._optimiser: torch.optim.Adam | None = None

    def _begin(self, parameters: Parameters) -> torch.optim.Adam:
        """Take the parameters over into the tensors that Adam knows."""
        if self._optimiser is None:
            self._live = {k: v.detach().clone().requires_grad_() for k, v in parameters.items()}
            rate = self._config.learning_rate
            self._optimiser = torch.optim.Adam(list(self._live.values()), lr=rate)
        with torch.no_grad():
            for name, value in parameters.items():
                self._live[name].copy_(value)
        return self._optimiser

    def _ascend(self, optimiser: torch.optim.Adam, objective: Tensor, limit: float) -> None:
        """Take one step; none where the gradient is not finite."""
        optimiser.zero_grad()
        torch.autograd.backward(-objective)
        norm = torch.nn.utils.clip_grad_norm_(list(self._live.values()), limit)
        if norm.isfinite():
            optimiser.step()

    def _now(self) -> Parameters:
        return {name: value.detach().clone() for name, value in self._live.items()}


class VPGStep(AdamStep):
    """One step of the vanilla policy gradient (Peters and Schaal 2006)."""

    def update(self, parameters: Parameters, imagine: Imagine) -> Parameters:
        """See `Step.update`."""
        optimiser = self._begin(parameters)
        experience = sampled(self._policy, parameters, imagine, self._config.discounts)
        gain = surrogate(self._policy, for_tasks(self._live, 1), experience).mean()
        self._ascend(optimiser, gain, float("inf"))
        return self._now()


class PPOStep(AdamStep):
    """Epochs over minibatches of the clipped objective (Schulman et al. 2017, eq. 7)."""

    def update(self, parameters: Parameters, imagine: Imagine) -> Parameters:
        """See `Step.update`."""
        config, optimiser = self._config, self._begin(parameters)
        experience = sampled(self._policy, parameters, imagine, config.discounts)
        count = experience.log_probs.shape[1]
        for _ in range(config.epochs):
            order = torch.randperm(count, generator=self._generator)
            for rows in torch.split(order, config.minibatch):
                gain = clipped_surrogate(self._policy, self._live, experience, rows, config.clip)
                self._ascend(optimiser, gain, float("inf"))
        return self._now()


class BPTTStep(AdamStep):
    """One step on the discounted return, back-propagated through time (Algorithm 1, line 8)."""

    def update(self, parameters: Parameters, imagine: Imagine) -> Parameters:
        """See `Step.update`."""
        config, optimiser = self._config, self._begin(parameters)
        rewards = imagine(for_tasks(self._live, 1)).rewards
        fading = config.discounts.discount ** torch.arange(rewards.shape[-1])
        self._ascend(optimiser, (rewards * fading).sum(-1).mean(), config.gradient_limit)
        return self._now()


STEPS: Mapping[str, Callable[[GaussianPolicy, StepConfig, Generator], Step]] = MappingProxyType(
    {"trpo": TRPOStep, "ppo": PPOStep, "vpg": VPGStep, "bptt": BPTTStep}
)


def sampled(
    policy: GaussianPolicy, parameters: Parameters, imagine: Imagine, discounts: Discounts
) -> Experience:
    """Return the experience of imagined episodes, without a gradient through them."""
    with torch.inference_mode():
        episodes = imagine(for_tasks(parameters, 1))
        found = experience_of(policy, episodes, discounts)[0]
    # What was made in inference mode takes no part in a gradient; copies do.
    parts = ("observations", "actions", "log_probs", "advantages")
    live = None if found.live is None else found.live.clone()
    return replace(found, live=live, **{name: getattr(found, name).clone() for name in parts})


def clipped_surrogate(
    policy: GaussianPolicy,
    parameters: Parameters,
    experience: Experience,
    rows: Tensor,
    clip: float,
) -> Tensor:
    """Return min(r A, clip(r, 1 - clip, 1 + clip) A), a mean over some rows of one task, ()."""
    seen, actions = experience.observations[0, rows], experience.actions[0, rows]
    chosen = policy.log_prob(parameters, seen, actions)
    ratio = (chosen - experience.log_probs[0, rows]).exp()
    advantages = experience.advantages[0, rows]
    held = ratio.clamp(1.0 - clip, 1.0 + clip)
    return torch.minimum(ratio * advantages, held * advantages).mean()
