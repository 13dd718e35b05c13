"""Meta-model p(r_t, o_{t+1} | a_t, h_{L:t}) of Hiraoka et al., section 6: GRU and B heads.

A GRU encodes the history into a context z; an ensemble of networks sees state, action and z, and
gives a Gaussian of the change of state and of the reward. Without an encoder it is the memoryless
ensemble of M2PO (section A.9).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from ros_mbmrl.dynamics.normalizer import Normalizer
from ros_mbmrl.networks.ensemble import Ensemble, forward_stack, stacked
from ros_mbmrl.networks.gaussian import heads_of, log_variances
from ros_mbmrl.networks.groups import VARIANCE
from ros_mbmrl.networks.history import Encoder, Histories
from ros_mbmrl.networks.mlp import Parameters
from ros_mbmrl.robots.spec import Robot


class Moments(NamedTuple):
    """Means and logarithms of variances (B, n, dc + 1), normalised: changes, then the reward."""

    mean: Tensor
    log_variance: Tensor


@dataclass(frozen=True)
class MetaModel:
    """Shape and normalisation of a meta-model; parameters are apart, stacked over its B heads.

    Args:
        robot: maps states to features, and changes back to states.
        layout: of observations with histories.
        network: of the heads: features, action and context to changes and reward.
        encoder: of histories; None: the model has no memory.
        normalizer: of features and actions, and of changes and reward.
        past_mean, past_std: (w,), of what the encoder sees of a transition.
    """

    robot: Robot
    layout: Histories
    network: Ensemble
    encoder: Encoder | None
    normalizer: Normalizer
    past_mean: Tensor
    past_std: Tensor

    def __post_init__(self) -> None:
        spec = self.robot.spec
        units = 0 if self.encoder is None else self.encoder.units
        inputs = len(spec.features) + len(spec.action) + units
        sizes, outputs = self.network.sizes, len(spec.changes) + 1
        if sizes[0] != inputs or sizes[-1] != outputs or not self.network.gaussian:
            raise ValueError(
                f"meta-model: expected Gaussian heads from {inputs} to {outputs}, got {sizes}"
            )

    def init(self, generator: Generator) -> Parameters:
        """Draw parameters: of heads for each member alone, of the encoder once."""
        flat = self.network.init(generator)
        stack = stacked(flat) | VARIANCE.named(heads_of(flat, range(self.network.members)))
        return stack if self.encoder is None else stack | self.encoder.init(generator)

    def moments(
        self, parameters: Parameters, states: Tensor, seen: Tensor, actions: Tensor
    ) -> Moments:
        """Return the moments of each head for rows of its own, or the same for all.

        Args:
            parameters: see `init`.
            states: (B, n, ds) or (n, ds).
            seen: (B, n, size) or (n, size), their observations with histories.
            actions: (B, n, da) or (n, da), from -1 to 1.
        """
        x = self.normalizer.inputs(self.robot.features(states), actions)
        if self.encoder is not None:
            parts = self.layout.parts(seen)
            scaled = parts._replace(past=(parts.past - self.past_mean) / self.past_std)
            x = torch.cat([x, self.encoder.forward(parameters, scaled)], dim=-1)
        mean, hidden = forward_stack(self.network, parameters, x)
        return Moments(mean, log_variances(VARIANCE.part(parameters), hidden))

    def targets(self, states: Tensor, rewards: Tensor, following: Tensor) -> Tensor:
        """Return the normalised changes and rewards (..., dc + 1) that heads are fitted to."""
        changes = self.robot.difference(states, following)
        return self.normalizer.changes(torch.cat([changes, rewards[..., None]], dim=-1))

    @torch.no_grad()
    def step(
        self,
        parameters: Parameters,
        states: Tensor,
        seen: Tensor,
        actions: Tensor,
        generator: Generator,
    ) -> tuple[Tensor, Tensor]:
        """Draw next states (n, ds) and rewards (n,), each row from a head by chance.

        Each head moves as many rows as any other, to one. A row whose next state would not be
        finite stays where it is.
        """
        count, heads = len(states), self.network.members
        rows = -(-count // heads)
        order = torch.randperm(count, generator=generator)
        placed = order.repeat(-(-rows * heads // count))[: rows * heads].view(heads, rows)
        each = (part[placed] for part in (states, seen, actions))
        mean, log_variance = self.moments(parameters, *each)
        noise = torch.randn(mean.shape, generator=generator)
        drawn = self.normalizer.denormalise(mean + (0.5 * log_variance).exp() * noise)
        told = torch.empty(count, drawn.shape[-1])
        told[order] = drawn.flatten(0, 1)[:count]
        following = self.robot.advance(states, told[:, :-1])
        finite = following.isfinite().all(dim=1, keepdim=True)
        return torch.where(finite, following, states), told[:, -1].nan_to_num()
