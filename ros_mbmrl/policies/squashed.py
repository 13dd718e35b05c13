"""A Gaussian policy squashed into the robot's range (Haarnoja et al. 2018, soft actor-critic)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Generator, Tensor
from torch.distributions import Independent, Normal, TanhTransform, TransformedDistribution
from torch.nn.functional import softplus

from ros_mbmrl.networks.mlp import Parameters
from ros_mbmrl.policies.base import Choice
from ros_mbmrl.policies.gaussian import LOG_2_PI
from ros_mbmrl.policies.mlp_policy import MLPPolicy

LOG_STD = (-20.0, 2.0)  # within which the logarithm of a deviation is held
LOG_2 = math.log(2.0)
SMALL = 0.1


class Draw(NamedTuple):
    """Actions (..., da) within -1 and 1, and log pi of them (...)."""

    actions: Tensor
    log_prob: Tensor


@dataclass(frozen=True)
class SquashedPolicy(MLPPolicy):
    """pi(a | o): tanh of a Gaussian whose mean and deviation an MLP answers; parameters are apart.

    The network has 2 da outputs: means, and logarithms of deviations.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.mlp.sizes[-1] % 2:
            raise ValueError(f"network: expected an even number of outputs, got {self.mlp.sizes}")

    def init(self, generator: Generator) -> Parameters:
        """Draw parameters, small in the last layer: a squashed mean far out would hardly move."""
        parameters, last = self.mlp.init(generator), f"w{self.mlp.layers - 1}"
        return {**parameters, last: SMALL * parameters[last]}

    def moments(self, parameters: Parameters, observations: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and logarithm of the deviation (..., da) before squashing."""
        out = self.mlp.forward(parameters, self.normalised(observations))
        mean, log_std = out.chunk(2, dim=-1)
        return mean, log_std.clamp(*LOG_STD)

    def means(self, parameters: Parameters, observations: Tensor) -> Tensor:
        """Return the actions (..., da) without noise."""
        return torch.tanh(self.moments(parameters, observations)[0])

    def distribution(
        self,
        parameters: Parameters,
        observation: Tensor,
        memory: Tensor | None = None,
        context: Tensor | None = None,
    ) -> Choice:
        """See `Policy.distribution`; a context is seen after the observation."""
        seen = self.seen(observation, context)
        mean, log_std = self.moments(parameters, seen)
        squashed = TransformedDistribution(Normal(mean, log_std.exp()), [TanhTransform()])
        return Choice(Independent(squashed, 1), None)

    def sample(self, parameters: Parameters, observations: Tensor, noise: Tensor) -> Draw:
        """Return actions from standard normal noise (..., da), with their gradient.

        log pi(a) = log N(u) - sum log(1 - tanh(u)^2), the last as 2 (log 2 - u - softplus(-2 u)),
        which loses no digits.
        """
        mean, log_std = self.moments(parameters, observations)
        raw = mean + log_std.exp() * noise
        likely = -(0.5 * (noise * noise + LOG_2_PI) + log_std)
        squashing = 2 * (LOG_2 - raw - softplus(-2 * raw))
        return Draw(torch.tanh(raw), (likely - squashing).sum(-1))
