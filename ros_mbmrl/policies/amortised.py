"""Amortised policies pi(a | s, z): z is drawn from a contextual model's belief about the task.

Wang and van Hoof, "Model-based Meta Reinforcement Learning using Graph Structured Surrogate
Models", section 4.3 and Algorithm 2: posterior (Thompson) sampling, no gradient at test time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Generator, Tensor

from ros_mbmrl.dynamics.latent.base import Code, Context, ContextualModel
from ros_mbmrl.networks.mlp import Parameters
from ros_mbmrl.policies.remembering import Rewards
from ros_mbmrl.robots.spec import Array, RobotSpec


@dataclass(frozen=True)
class Latent:
    """Encoder of a task's transitions to a belief about its latent variable z.

    Args:
        model, parameters: the contextual model, whose code is the belief.
        prior: belief about a task of which nothing was seen, (1, dz) each.
        length: newest transitions that are encoded.
        every: control periods between two draws of z.
    """

    model: ContextualModel
    parameters: Parameters
    prior: Code
    length: int = 50
    every: int = 25

    def __post_init__(self) -> None:
        if self.length < 1 or self.every < 1:
            raise ValueError(
                f"length, every: expected at least 1, got {self.length} and {self.every}"
            )
        if self.prior.mean.shape != (1, self.model.size):
            expected = (1, self.model.size)
            raise ValueError(f"prior: expected {expected}, got {tuple(self.prior.mean.shape)}")

    @torch.no_grad()
    def belief(self, context: Context) -> Code:
        """Return q(z | context) of N tasks (eq. 6); the prior where a context has no transition."""
        seen = context.weight.sum(dim=1) > 0
        mean, deviation = (part.repeat(len(seen), 1) for part in self.prior)
        if seen.any():
            rows = Context(*(part[seen] for part in context))
            code = self.model.condition(self.parameters, rows).code
            assert code is not None
            mean[seen], deviation[seen] = code
        return Code(mean, deviation)


def pooled(codes: Sequence[Code]) -> Code:
    """Return the Gaussian (1, dz) with mean and variance of all these beliefs together."""
    means = torch.cat([code.mean for code in codes])
    variances = torch.cat([code.deviation for code in codes]).square()
    spread = means.var(dim=0, correction=0, keepdim=True)
    return Code(means.mean(0, keepdim=True), (variances.mean(0, keepdim=True) + spread).sqrt())


class ThompsonMemory:
    """Holds the last transitions of each robot and the z that is drawn from them; see `Memory`.

    Args:
        latent: encoder of transitions.
        spec: of the robots.
        generators: of z, one a robot.
    """

    def __init__(self, latent: Latent, spec: RobotSpec, generators: Sequence[Generator]) -> None:
        self._latent, self._generators = latent, generators
        count, states, actions = len(generators), len(spec.state), len(spec.action)
        sizes = (states, actions, states)
        rows = [torch.zeros(count, latent.length, size) for size in sizes]
        self._context = Context(*(*rows, torch.zeros(count, latent.length)))
        self._last: Tensor | None = None
        self._sent: Tensor | None = None
        self._steps = 0
        self._z = torch.zeros(count, latent.model.size)

    def acted(self, commands: Array) -> None:
        """See `Memory.acted`."""
        self._sent = torch.as_tensor(np.array(commands), dtype=torch.float32)

    def seen(self, observations: Tensor, rewards: Rewards, states: Array) -> Tensor:
        """See `Memory.seen`; rewards are not asked."""
        now = torch.as_tensor(np.array(states), dtype=torch.float32)
        if self._last is not None and self._sent is not None:
            one = torch.ones(len(now))
            newest = Context(self._last, self._sent, now, one)
            pairs = zip(self._context, newest, strict=True)
            moved = (torch.cat([held[:, 1:], new[:, None]], dim=1) for held, new in pairs)
            self._context = Context(*moved)
        self._last, self._sent = now, None
        if self._steps % self._latent.every == 0:
            self._z = self._latent.belief(self._context).at(self._noise())
        self._steps += 1
        return torch.cat([observations, self._z], dim=-1)

    def _noise(self) -> Tensor:
        size = self._latent.model.size
        return torch.stack([torch.randn(size, generator=each) for each in self._generators])
