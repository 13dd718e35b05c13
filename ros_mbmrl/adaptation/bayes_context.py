"""Bayesian context: a latent code inferred from all transitions, each weighted by its precision.

Bayesian aggregation (Volpp et al., Bayesian Context Aggregation for Neural Processes, 2021, eq. 6
to 8) in place of the mean: the code starts from the prior and its variance shrinks with every
transition; a transition with little information, or an implausible one, counts little.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from ros_mbmrl.adaptation import encoder
from ros_mbmrl.adaptation.base import Support
from ros_mbmrl.networks.groups import ENCODER
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.networks.recurrent import condition
from ros_mbmrl.networks.updates import Update

START_VARIANCE = 16.0  # variance of one transition's evidence, where the prior's is 1


@dataclass(frozen=True)
class BayesContext(encoder.EncoderRule):
    """An update by the posterior mean of the code."""

    def _encoder(self, mlp: MLP) -> MLP:
        return encoder.encoder(mlp, self.hidden, 2 * self.size)  # evidence and its log variance

    def init(self, mlp: MLP, parameters: Parameters, generator: Generator) -> Parameters:
        """Return the initial parameters. See `encoder.init`."""
        network = self._encoder(mlp)
        own = encoder.init(mlp, network, self.size, parameters, generator)
        last = own[f"{ENCODER.prefix}b{network.layers - 1}"]
        last[self.size :] = torch.log(torch.tensor(START_VARIANCE))
        return own

    def code(self, mlp: MLP, parameters: Parameters, support: Support) -> Tensor:
        """Return the posterior mean of the code, (N, size), from a standard normal prior."""
        encoded = encoder.encode(mlp, self._encoder(mlp), parameters, support, self.limit)
        evidence, log_variance = encoded.chunk(2, dim=-1)
        precision = support.weight * torch.exp(-log_variance.clamp(-6.0, 6.0))
        total = 1.0 + precision.sum(dim=1)  # eq. 7: precisions add up
        return (precision * evidence).sum(dim=1) / total  # eq. 8

    def update(self, mlp: MLP, parameters: Parameters, support: Support) -> Update:
        """Return a shift of every bias by a linear map of the code; zero for an empty window."""
        return Update(condition(parameters, self.code(mlp, parameters, support)).layers)
