"""MLSM: neural processes as dynamics models, plain (v0) and attentive (v1).

Galashov et al., *Meta-Learning Surrogate Models for Sequential Decision Making*, 2019, after
Garnelo et al., *Neural Processes*, 2018, and Kim et al., *Attentive Neural Processes*, 2019. In
training, the approximate posterior sees the targets, too, outcomes included.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from torch import Generator, Tensor

from ros_mbmrl.dynamics.latent import transitions
from ros_mbmrl.dynamics.latent.base import Code, Rows
from ros_mbmrl.dynamics.latent.encoders import INTO, Encoder, Looked, first_layer, spread_of
from ros_mbmrl.networks import attention
from ros_mbmrl.networks.attention import Attention
from ros_mbmrl.networks.groups import FROZEN, LOCAL
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.networks.tasks import spread
from ros_mbmrl.networks.updates import Update


@dataclass(frozen=True)
class MLSM0(Encoder):
    """MLSM-v0: the mean code of all transitions gives z; see `Encoder`, whose keys it has not."""

    targets: ClassVar[bool] = True

    def look(self, mlp: MLP, parameters: Parameters, rows: Rows) -> Looked:
        """See `Encoder.look`."""
        pooled = (self.encoded(mlp, parameters, rows) * rows.share).sum(dim=1)
        return Looked(self.head(parameters, pooled))

    def update(self, mlp: MLP, parameters: Parameters, looked: Looked) -> Update:
        """See `Encoder.update`."""
        bias = (looked.code.mean @ parameters[INTO][: self.size])[:, None]
        return replace(first_layer(mlp, bias), spread=spread_of(parameters, looked.code))


@dataclass(frozen=True)
class MLSM1(MLSM0):
    """MLSM-v1: beside z, the decoder reads what an input attends to among the transitions.

    As many numbers as z has, from a second encoder of the transitions (table 4).
    """

    @property
    def reads(self) -> int:
        """See `Encoder.reads`."""
        return 2 * self.size

    def look(self, mlp: MLP, parameters: Parameters, rows: Rows) -> Looked:
        """See `Encoder.look`."""
        encoded = self.encoded(mlp, parameters, rows)
        code = self.head(parameters, (encoded * rows.share).sum(dim=1))
        network = self._second(mlp, f"{FROZEN.prefix}w0" in parameters)
        values = transitions.encode(mlp, network, parameters, rows.x, rows.y, group=LOCAL)
        values = spread(values, len(rows.weight))
        keys = attention.keys(parameters, rows.x, rows.weight, self.temperature)
        return Looked(code, keys, values)

    def at(self, parameters: Parameters, looked: Looked, x: Tensor) -> tuple[Code, Tensor | None]:
        """See `Encoder.at`."""
        assert looked.keys is not None and looked.values is not None
        asked = attention.queries(parameters, x)
        local = attention.attend(Attention(looked.keys, looked.values), asked)
        return super().at(parameters, looked, x)[0], local

    def update(self, mlp: MLP, parameters: Parameters, looked: Looked) -> Update:
        """See `Encoder.update`."""
        assert looked.keys is not None and looked.values is not None
        own = super().update(mlp, parameters, looked)
        values = looked.values @ parameters[INTO][self.size :]
        return replace(own, attention=Attention(looked.keys, values))

    def _own(self, mlp: MLP, frozen: bool, generator: Generator) -> Parameters:
        t = attention.init(mlp.sizes[0], self.keys, False, generator)
        return t | LOCAL.named(self._second(mlp, frozen).init(generator))

    def _second(self, mlp: MLP, frozen: bool) -> MLP:
        return transitions.transition_encoder(mlp, self.hidden, self.size, self.depth, frozen)
