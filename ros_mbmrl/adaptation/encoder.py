"""The encoder that all context rules share: one code for each transition.

A transition is encoded as [x, y, y - f(x)]. f is the frozen supervised model that training started
from; its errors are what the code has to explain.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from ros_mbmrl.adaptation.base import Support, UpdateRule
from ros_mbmrl.networks.groups import ENCODER, FROZEN
from ros_mbmrl.networks.mlp import MLP, Parameters, spread
from ros_mbmrl.networks.recurrent import no_condition


@dataclass(frozen=True)
class EncoderRule(UpdateRule):
    """A rule with an encoder.

    Args:
        hidden: width of the encoder.
        size: length of the code z.
        limit: normalised changes are clipped at +-limit.
    """

    hidden: int = 64
    size: int = 16
    limit: float = 5.0
    meta_trained: bool = True

    def __post_init__(self) -> None:
        if min(self.hidden, self.size) < 1:
            raise ValueError("hidden, size: expected positive numbers")


def encoder(mlp: MLP, hidden: int, outputs: int) -> MLP:
    """Return the network that encodes transitions of `mlp`."""
    inputs = mlp.sizes[0] + 2 * mlp.sizes[-1]
    return MLP((inputs, hidden, hidden, outputs), mlp.activation)


def init(
    mlp: MLP, network: MLP, size: int, parameters: Parameters, generator: Generator
) -> Parameters:
    """Return the encoder, maps from a code of `size` to biases (zero at first), the frozen f."""
    own = ENCODER.named(network.init(generator)) | no_condition(mlp, size)
    model = {
        name: parameters[name].clone() for k in range(mlp.layers) for name in (f"w{k}", f"b{k}")
    }
    return own | FROZEN.named(model)


def encode(
    mlp: MLP, network: MLP, parameters: Parameters, support: Support, limit: float
) -> Tensor:
    """Encode the transitions of all tasks (N, T1, outputs), changes clipped at +-limit."""
    y = support.y.clamp(-limit, limit)
    residual = y - mlp.forward(FROZEN.part(parameters), support.x).detach()
    transitions = torch.cat([support.x, y, residual], dim=-1)
    encoded = network.forward(ENCODER.part(parameters), transitions)
    return spread(encoded, len(support.weight))
