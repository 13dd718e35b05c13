"""Leaky context: a code of the window whose components forget at different, learned rates.

A component of the code is a weighted mean of the encoded transitions e_i,

    z = sum_i a^age_i e_i / (k + sum_i a^age_i),

with a learned forgetting factor a in (0, 1) and a learned weight k of the prior, 0. Slow components
average over lasting conditions (a lost leg, the ground), fast ones keep the effect of the last
step; a window of few rows gives a code near 0. In a roll-out the code decays by a learned factor a
step, so fast components end with the first. With a -> 1 and k -> 0 this is the mean-pooled context.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from ros_mbmrl.adaptation import encoder
from ros_mbmrl.adaptation.base import Support
from ros_mbmrl.networks.groups import MEMORY
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.networks.recurrent import PERSISTENCE, condition
from ros_mbmrl.networks.updates import Update

FORGETTING, PRIOR = (f"{MEMORY.prefix}{name}" for name in ("forgetting", "prior"))
MEMORIES = 0.7, 64.0  # shortest and longest time constant at the start of training [steps]
PRIOR_WEIGHT = 1.0  # weight of the prior at the start of training [transitions]


@dataclass(frozen=True)
class LeakyContext(encoder.EncoderRule):
    """An update by the code of forgetting means; see `EncoderRule`."""

    size: int = 32

    def init(self, mlp: MLP, parameters: Parameters, generator: Generator) -> Parameters:
        """Return the initial parameters, memories spread between MEMORIES. See `encoder.init`."""
        network = encoder.encoder(mlp, self.hidden, self.size)
        own = encoder.init(mlp, network, self.size, parameters, generator)
        shortest, longest = (math.log(end) for end in MEMORIES)
        decay = torch.exp(-1 / torch.linspace(shortest, longest, self.size).exp())
        own[FORGETTING] = torch.logit(decay)
        own[PERSISTENCE] = torch.logit(decay)
        own[PRIOR] = torch.full((self.size,), math.log(PRIOR_WEIGHT))
        return own

    def code(self, mlp: MLP, parameters: Parameters, support: Support) -> Tensor:
        """Return the code of each task's window, (N, size); zero for an empty one."""
        network = encoder.encoder(mlp, self.hidden, self.size)
        encoded = encoder.encode(mlp, network, parameters, support, self.limit)
        age = torch.arange(support.x.shape[1] - 1, -1, -1).to(encoded)
        faded = torch.nn.functional.logsigmoid(parameters[FORGETTING])
        weight = support.weight * torch.exp(age[:, None] * faded)  # (N, T1, size)
        total = parameters[PRIOR].exp() + weight.sum(dim=1)
        return (weight * encoded).sum(dim=1) / total

    def update(self, mlp: MLP, parameters: Parameters, support: Support) -> Update:
        """Return a shift of every bias by a linear map of the code, which decays in a roll-out."""
        return condition(parameters, self.code(mlp, parameters, support))
