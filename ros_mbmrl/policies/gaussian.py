"""A diagonal Gaussian policy as a pure function of its parameters, of one task or of many."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Generator, Tensor
from torch.distributions import Independent, Normal

from ros_mbmrl.errors import UserError
from ros_mbmrl.networks.mlp import Parameters
from ros_mbmrl.policies.base import Choice
from ros_mbmrl.policies.mlp_policy import MLPPolicy

LOG_2_PI = math.log(2 * math.pi)
NO_NOISE = -30.0  # logarithm of a deviation that moves no action


@dataclass(frozen=True)
class GaussianPolicy(MLPPolicy):
    """pi(a | o): a Gaussian around what an MLP answers; parameters are apart.

    Parameters: those of the MLP and `log_std` (da,), or the same of N tasks, (N, ...) each. Then
    observations are (N, B, do), otherwise (..., B, do). Actions are in units of the robot's
    range: -1 is the lowest command, 1 the highest. What is sampled may lie outside of it.
    """

    def init(self, generator: Generator, log_std: float = -0.5) -> Parameters:
        """Fresh parameters: orthogonal weights, small in the last layer (Huang et al. 2022)."""
        parameters = {"log_std": torch.full(self.mlp.sizes[-1:], log_std)}
        for k, shape in enumerate(pairwise(self.mlp.sizes)):
            gain = math.sqrt(2) if k < self.mlp.layers - 1 else 0.01
            weight = torch.nn.init.orthogonal_(torch.empty(shape), gain, generator)
            parameters |= {f"w{k}": weight, f"b{k}": torch.zeros(shape[1])}
        return parameters

    def means(self, parameters: Parameters, observations: Tensor) -> Tensor:
        """Mean actions (..., B, da)."""
        h = self.normalised(observations)
        batched = h.dim() == parameters["w0"].dim() == 3  # by a product that calls nothing else
        product = torch.bmm if batched else torch.matmul
        for k in range(self.mlp.layers):
            h = product(h, parameters[f"w{k}"]) + parameters[f"b{k}"].unsqueeze(-2)
            if k < self.mlp.layers - 1:
                h = self.mlp.act(h)
        return h

    def distribution(
        self,
        parameters: Parameters,
        observation: Tensor,
        memory: Tensor | None = None,
        context: Tensor | None = None,
    ) -> Choice:
        """See `Policy.distribution`; a context is seen after the observation."""
        seen = self.seen(observation, context)
        std = parameters["log_std"].exp().unsqueeze(-2)
        return Choice(Independent(Normal(self.means(parameters, seen), std), 1), None)

    def sample(self, parameters: Parameters, observations: Tensor, noise: Tensor) -> Tensor:
        """Actions (..., B, da) from standard normal noise of the same shape."""
        std = parameters["log_std"].exp().unsqueeze(-2)
        return self.means(parameters, observations) + std * noise

    def log_prob(self, parameters: Parameters, observations: Tensor, actions: Tensor) -> Tensor:
        """log pi(a | o), (..., B)."""
        log_std = parameters["log_std"].unsqueeze(-2)
        z = (actions - self.means(parameters, observations)) / log_std.exp()
        return -(0.5 * (z * z + LOG_2_PI) + log_std).sum(-1)

    def noise_log_prob(self, parameters: Parameters, noise: Tensor) -> Tensor:
        """Return the log pi (N, M, T) of what `sample` makes of noise (N, M, T, da)."""
        log_std = parameters["log_std"][:, None, None]
        return -(0.5 * (noise * noise + LOG_2_PI) + log_std).sum(-1)

    def divergence(self, old: Parameters, new: Parameters, observations: Tensor) -> Tensor:
        """KL(pi_old || pi_new) at each observation, (..., B)."""
        before, after = old["log_std"].unsqueeze(-2), new["log_std"].unsqueeze(-2)
        apart = self.means(old, observations) - self.means(new, observations)
        spread = ((2 * before).exp() + apart * apart) / (2 * (2 * after).exp())
        return (after - before + spread - 0.5).sum(-1)


def as_gaussian(policy: MLPPolicy) -> GaussianPolicy:
    """Return a policy that is a Gaussian one: only such are adapted, or moved in imagination.

    Raises:
        UserError: it is of another kind.
    """
    if not isinstance(policy, GaussianPolicy):
        raise UserError(f"expected a Gaussian policy, got a {type(policy).__name__}")
    return policy


def without_noise(parameters: Parameters) -> Parameters:
    """Return the parameters of the policy that takes its mean action."""
    return {**parameters, "log_std": torch.full_like(parameters["log_std"], NO_NOISE)}


def for_tasks(parameters: Parameters, tasks: int) -> Parameters:
    """Repeat the parameters for so many tasks (N, ...); nothing is copied."""
    return {name: value.expand(tasks, *value.shape) for name, value in parameters.items()}
