"""Context: a mean-pooled encoder of the window conditions the network (a neural process).

The mean code z of the window's transitions goes through a learned linear map and is added to the
bias of every layer.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Generator

from ros_mbmrl.adaptation import encoder
from ros_mbmrl.adaptation.base import Support
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.networks.recurrent import condition
from ros_mbmrl.networks.updates import Update


@dataclass(frozen=True)
class Context(encoder.EncoderRule):
    """An update by the mean code."""

    def init(self, mlp: MLP, parameters: Parameters, generator: Generator) -> Parameters:
        """Return the initial parameters. See `encoder.init`."""
        network = encoder.encoder(mlp, self.hidden, self.size)
        return encoder.init(mlp, network, self.size, parameters, generator)

    def update(self, mlp: MLP, parameters: Parameters, support: Support) -> Update:
        """Return a shift of every bias by the pooled code; zero for an empty window."""
        network = encoder.encoder(mlp, self.hidden, self.size)
        codes = encoder.encode(mlp, network, parameters, support, self.limit)
        return Update(condition(parameters, (codes * support.share).sum(dim=1)).layers)
