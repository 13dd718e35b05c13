"""A posterior over a context, from transitions in no order: PEARL (Rakelly et al. 2019).

Each transition of a history gives a Gaussian factor of z; their product with the prior N(0, 1) is
the posterior (eq. 1 of PEARL, in which the prior is no factor: with it, no transition gives the
prior, and few give something near it).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Generator, Tensor
from torch.nn.functional import softplus

from ros_mbmrl.networks.groups import POSTERIOR
from ros_mbmrl.networks.history import LIMIT, Parts
from ros_mbmrl.networks.mlp import MLP, Parameters

SMALLEST = 1e-4  # variance of a factor


class Gaussian(NamedTuple):
    """Means and variances (..., units)."""

    mean: Tensor
    variance: Tensor

    def drawn(self, generator: Generator) -> Tensor:
        """Draw from it, with its gradient."""
        noise = torch.randn(self.mean.shape, generator=generator)
        return self.mean + self.variance.sqrt() * noise

    def divergence(self) -> Tensor:
        """Return KL(q || N(0, 1)) (...)."""
        each = self.mean.square() + self.variance - 1 - self.variance.log()
        return 0.5 * each.sum(dim=-1)


@dataclass(frozen=True)
class PosteriorEncoder:
    """An MLP from a transition and the observation after it to a factor of z; see `ContextEncoder`.

    Args:
        inputs: w, numbers of a transition.
        observations: numbers of an observation.
        units: numbers of z.
        hidden: of the MLP.
    """

    inputs: int
    observations: int
    units: int = 5
    hidden: tuple[int, ...] = (64, 64)

    @property
    def mlp(self) -> MLP:
        """Return the shape of the network."""
        return MLP((self.inputs + self.observations, *self.hidden, 2 * self.units), "silu")

    def init(self, generator: Generator) -> Parameters:
        """Draw parameters, in the group `posterior`."""
        return POSTERIOR.named(self.mlp.init(generator))

    def posterior(self, parameters: Parameters, parts: Parts) -> Gaussian:
        """Return q(z | history) of histories (...)."""
        after = torch.cat([parts.past[..., 1:, : self.observations], parts.now[..., None, :]], -2)
        rows = torch.cat([parts.past, after], dim=-1).clamp(-LIMIT, LIMIT)
        mean, raw = self.mlp.forward(POSTERIOR.part(parameters), rows).chunk(2, dim=-1)
        precision = parts.valid[..., None] / (softplus(raw) + SMALLEST)
        variance = 1.0 / (1.0 + precision.sum(dim=-2))
        return Gaussian(variance * (precision * mean).sum(dim=-2), variance)

    def forward(self, parameters: Parameters, parts: Parts) -> Tensor:
        """Return the posterior's mean."""
        return self.posterior(parameters, parts).mean
