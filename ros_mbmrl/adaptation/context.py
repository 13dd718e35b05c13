"""Context: a mean-pooled encoder of the window conditions the network (a neural process).

Each transition is encoded as [x, y, y - f(x)], f being the frozen supervised model that training
started from; the mean code z is added, through a learned map, to the bias of every layer.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator

from ros_mbmrl.adaptation.base import Support, UpdateRule
from ros_mbmrl.dynamics.mlp import MLP, LayerUpdate, Parameters, Update


@dataclass(frozen=True)
class Context(UpdateRule):
    """hidden: width of the encoder. size: length of the code z."""

    hidden: int = 64
    size: int = 16
    limit: float = 5.0
    meta_trained: bool = True

    def __post_init__(self) -> None:
        if min(self.hidden, self.size) < 1:
            raise ValueError("hidden, size: expected positive numbers")

    def _encoder(self, mlp: MLP) -> MLP:
        inputs = mlp.sizes[0] + 2 * mlp.sizes[-1]
        return MLP((inputs, self.hidden, self.hidden, self.size), mlp.activation)

    def init(self, mlp: MLP, parameters: Parameters, generator: Generator) -> Parameters:
        """The encoder, the maps from code to biases (zero at first), and the frozen model."""
        encoder = self._encoder(mlp).init(generator)
        own = {f"encoder.{name}": value for name, value in encoder.items()}
        for k, width in enumerate(mlp.sizes[1:]):
            own[f"condition.b{k}"] = torch.zeros(self.size, width)
        for k in range(mlp.layers):
            for name in (f"w{k}", f"b{k}"):
                own[f"frozen.{name}"] = parameters[name].clone()
        return own

    def update(self, mlp: MLP, parameters: Parameters, support: Support) -> Update:
        """Shifts every bias by the pooled code; an empty window shifts none."""

        def part(prefix: str) -> Parameters:
            return {
                name.removeprefix(prefix): value
                for name, value in parameters.items()
                if name.startswith(prefix)
            }

        y = support.y.clamp(-self.limit, self.limit)
        residual = y - mlp.forward(part("frozen."), support.x).detach()
        transitions = torch.cat([support.x, y, residual], dim=-1)
        codes = self._encoder(mlp).forward(part("encoder."), transitions)
        code = (codes * support.share).sum(dim=1, keepdim=True)
        return Update(
            tuple(LayerUpdate(bias=code @ parameters[f"condition.b{k}"]) for k in range(mlp.layers))
        )
