"""Soft actor-critic (Haarnoja et al. 2018): one gradient step on a batch, wherever that is from.

SAC takes batches of real transitions; methods that use a model take imagined ones as well.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from ros_mbmrl.learning.models.learner import moments_of, restore_moments
from ros_mbmrl.learning.policies.replay import Batch
from ros_mbmrl.networks import tensor_file
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.policies.critics import TwinCritics
from ros_mbmrl.policies.squashed import SquashedPolicy


@dataclass(frozen=True)
class SoftConfig:
    """Settings of soft actor-critic.

    Args:
        hidden: layers of policy and critics.
        activation: of their units.
        discount: gamma, less than 1.
        learning_rate: of Adam, for policy, critics and temperature.
        target_rate: tau, share of the critics that their targets take over in a step.
        rows: transitions in a batch.
        temperature: alpha at first.
        entropy: that the temperature is adapted to, per number of the action; None: the temperature
            stays.
    """

    hidden: tuple[int, ...] = (256, 256)
    activation: str = "silu"
    discount: float = 0.99
    learning_rate: float = 3e-4
    target_rate: float = 0.005
    rows: int = 256
    temperature: float = 1.0
    entropy: float | None = -1.0

    def __post_init__(self) -> None:
        if not (0 <= self.discount < 1 and 0 < self.target_rate <= 1):
            raise ValueError("expected 0 <= discount < 1 and 0 < target_rate <= 1")
        if not (self.learning_rate > 0 and self.temperature > 0 and self.rows >= 1):
            raise ValueError("expected learning_rate and temperature above 0, and a row in a batch")


class SoftActorCritic:
    """Policy, critics, their targets and the temperature, with their optimisers.

    Args:
        observations, actions: numbers of each.
        config: settings.
        generator: of the first parameters.
        observe: makes observations of what batches hold, as `Robot.observation` does of states;
            None: batches hold observations.
        networks: policy and critics of observations; None: MLPs, see `usual_networks`.
    """

    def __init__(
        self,
        observations: int,
        actions: int,
        config: SoftConfig,
        generator: Generator,
        observe: Callable[[Tensor], Tensor] | None = None,
        networks: tuple[SquashedPolicy, TwinCritics] | None = None,
    ) -> None:
        self.config, self._actions, self._observe = config, actions, observe
        self.policy, self.critics = networks or usual_networks(observations, actions, config)
        self._learned = {
            "policy": self.policy.init(generator),
            "critics": self.critics.init(generator),
            "temperature": {"log": torch.tensor(math.log(config.temperature))},
        }
        self._adams = {name: adam_of(part, config) for name, part in self._learned.items()}
        self._targets = {n: each.detach().clone() for n, each in self._learned["critics"].items()}

    @property
    def parameters(self) -> Parameters:
        """Return the policy's parameters, without gradient."""
        return {name: value.detach() for name, value in self._learned["policy"].items()}

    @property
    def critic_parameters(self) -> Parameters:
        """Return the critics' parameters, without gradient."""
        return {name: value.detach() for name, value in self._learned["critics"].items()}

    @property
    def temperature(self) -> Tensor:
        """Return alpha."""
        return self._learned["temperature"]["log"].detach().exp()

    def seen(self, rows: Tensor) -> Tensor:
        """Return the observations (B, do) of what batches hold."""
        return rows if self._observe is None else self._observe(rows)

    def update(self, batch: Batch, generator: Generator) -> dict[str, float]:
        """Make one gradient step on critics, policy and temperature; return scalars to log."""
        critics = self._critic_loss(batch, generator)
        self._step("critics", critics)
        entropy = self._improve(batch.observations, generator)
        return {"critic_loss": float(critics.detach()), "entropy": entropy}

    def _improve(self, observations: Tensor, generator: Generator) -> float:
        """Make the step on policy and temperature, move the targets; return the entropy."""
        self._learn_value(observations, generator)
        policy, log_prob = self._policy_loss(observations, generator)
        self._step("policy", policy)
        if self.config.entropy is not None:
            lacking = log_prob.detach().mean() + self.config.entropy * self._actions
            self._step("temperature", -self._learned["temperature"]["log"] * lacking)
        self._follow()
        return -float(log_prob.detach().mean())

    def _learn_value(self, rows: Tensor, generator: Generator) -> None:
        """Make a step on a value function, of methods that have one; here there is none."""

    def soft_value(self, observations: Tensor, generator: Generator) -> Tensor:
        """Return V(o) (B,) of the target critics: the smaller Q of a drawn action, and entropy."""
        with torch.no_grad():
            noise = self._noise(observations, generator)
            drawn = self.policy.sample(self.parameters, observations, noise)
            least = self.critics.least(self._targets, observations, drawn.actions)
            value: Tensor = least - self.temperature * drawn.log_prob
            return value

    def following_value(self, batch: Batch, generator: Generator) -> Tensor:
        """Return the value (B,) of what follows each transition, if it did not terminate."""
        return self.soft_value(self.seen(batch.following), generator)

    def _critic_loss(self, batch: Batch, generator: Generator) -> Tensor:
        """Return the squared error of both critics before r + gamma V(o')."""
        going = self.config.discount * (1 - batch.terminated)
        target = batch.rewards + going * self.following_value(batch, generator)
        seen = self.seen(batch.observations)
        found = self.critics.both(self._learned["critics"], seen, batch.actions)
        return 0.5 * (found - target).square().mean(dim=1).sum()

    def _policy_loss(self, observations: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        """Return E[alpha log pi - Q], and log pi (B,)."""
        observations = self.seen(observations)
        own = self._learned["policy"], observations, self._noise(observations, generator)
        drawn = self.policy.sample(*own)
        least = self.critics.least(self.critic_parameters, observations, drawn.actions)
        return (self.temperature * drawn.log_prob - least).mean(), drawn.log_prob

    def _noise(self, observations: Tensor, generator: Generator) -> Tensor:
        return torch.randn(len(observations), self._actions, generator=generator)

    def _step(self, name: str, loss: Tensor, *more: str) -> None:
        """Make a step on the parts of these names."""
        values = [value for each in (name, *more) for value in self._learned[each].values()]
        for value, gradient in zip(values, torch.autograd.grad(loss, values), strict=True):
            value.grad = gradient
        for each in (name, *more):
            self._adams[each].step()

    @torch.no_grad()
    def _follow(self) -> None:
        for name, target in self._targets.items():
            target.lerp_(self._learned["critics"][name], self.config.target_rate)

    def snapshot(self) -> dict[str, Tensor]:
        """Return everything that the next step needs, for a checkpoint."""
        found = tensor_file.flatten("targets", self._targets)
        for name, part in self._learned.items():
            found |= tensor_file.flatten(name, {n: value.detach() for n, value in part.items()})
            found |= tensor_file.flatten(name, moments_of(self._adams[name], part))
        return found

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Go back to a snapshot."""
        with torch.no_grad():
            for name, value in self._targets.items():
                value.copy_(tensors[f"targets/{name}"])
            for name, part in self._learned.items():
                for key, value in part.items():
                    value.copy_(tensors[f"{name}/{key}"])
                own = tensor_file.unflatten(name, tensors)
                restore_moments(self._adams[name], part, own)


def usual_networks(
    observations: int, actions: int, config: SoftConfig
) -> tuple[SquashedPolicy, TwinCritics]:
    """Return MLPs for policy and critics."""
    mlp = MLP((observations, *config.hidden, 2 * actions), config.activation)
    policy = SquashedPolicy(mlp, torch.zeros(observations), torch.ones(observations))
    sizes = (observations + actions, *config.hidden, 1)
    return policy, TwinCritics(MLP(sizes, config.activation))


def adam_of(part: Parameters, config: SoftConfig) -> torch.optim.Adam:
    """Return the optimiser of a part, whose parameters get gradients from now on."""
    for value in part.values():
        value.requires_grad_()
    return torch.optim.Adam(part.values(), lr=config.learning_rate)
