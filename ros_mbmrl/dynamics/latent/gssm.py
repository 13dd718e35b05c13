"""GSSM: message passing over a graph of transitions, and from it to the target.

Wang and van Hoof, *Model-based Meta Reinforcement Learning using Graph Structured Surrogate
Models*, section 4.1. With one layer of message passing, as the paper has it in all its experiments.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from ros_mbmrl.dynamics.latent.base import Code, Rows
from ros_mbmrl.dynamics.latent.encoders import INTO, Encoder, Looked, layer, spread_of
from ros_mbmrl.networks import attention
from ros_mbmrl.networks.attention import Attention
from ros_mbmrl.networks.groups import GRAPH
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.networks.tasks import spread
from ros_mbmrl.networks.updates import Update


@dataclass(frozen=True)
class GSSM(Encoder):
    """Eq. 4 to 7; see `Encoder`."""

    def look(self, mlp: MLP, parameters: Parameters, rows: Rows) -> Looked:
        """See `Encoder.look`."""
        keys = attention.keys(parameters, rows.x, rows.weight, self.temperature)
        asked = spread(attention.queries(parameters, rows.x), len(keys))
        near = attention.shares(keys, asked)  # eq. 5, s_ij; a missing row j has no share
        h = self.encoded(mlp, parameters, rows)
        weight, bias = (parameters[f"{GRAPH.prefix}pass_{part}"] for part in "wb")
        h = mlp.act((h + torch.bmm(near, h)) @ weight + bias)  # eq. 5
        r = torch.bmm(near, h)  # eq. 6, r_j
        pooled = (r * rows.share).sum(dim=1)  # eq. 6, the mean as pooling
        return Looked(self.head(parameters, pooled), keys, h)

    def at(self, parameters: Parameters, looked: Looked, x: Tensor) -> tuple[Code, None]:
        """See `Encoder.at`: eq. 7."""
        assert looked.keys is not None and looked.values is not None
        asked = attention.queries(parameters, x)
        passed = attention.attend(Attention(looked.keys, looked.values), asked)  # r_*
        return self.head(parameters, passed), None

    def update(self, mlp: MLP, parameters: Parameters, looked: Looked) -> Update:
        """See `Encoder.update`: the mean of eq. 7 is linear in h, which is attended to."""
        assert looked.keys is not None and looked.values is not None
        into = parameters[INTO]
        weight, bias = (parameters[f"{GRAPH.prefix}head_{part}"][..., : self.size] for part in "wb")
        values = looked.values @ (weight @ into) + bias @ into
        varied = spread_of(parameters, looked.code)
        attended = Attention(looked.keys, values)
        return Update(mlp.no_update.layers, attention=attended, spread=varied)

    def _own(self, mlp: MLP, frozen: bool, generator: Generator) -> Parameters:
        t = attention.init(mlp.sizes[0], self.keys, True, generator)
        return t | GRAPH.named(layer("pass", self.hidden, self.hidden, generator))
