"""The encoder that all contexts share: transitions of a task to one code each.

A transition is encoded as [x, y], or as [x, y, y - f(x)] where there is a frozen model f that
training started from: its errors are what the code has to explain.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ros_mbmrl.networks.groups import ENCODER, FROZEN, Group
from ros_mbmrl.networks.mlp import MLP, Parameters

LIMIT = 5.0  # of normalised changes


def transition_encoder(
    mlp: MLP, hidden: int, outputs: int, depth: int = 2, frozen: bool = True
) -> MLP:
    """Return the network that encodes transitions of `mlp`.

    Args:
        mlp: the dynamics model's network.
        hidden, depth: width and number of hidden layers.
        outputs: numbers of a code.
        frozen: whether errors of a frozen model are among its inputs.
    """
    inputs = mlp.sizes[0] + (2 if frozen else 1) * mlp.sizes[-1]
    return MLP((inputs, *(hidden,) * depth, outputs), mlp.activation)


def frozen_of(mlp: MLP, parameters: Parameters) -> Parameters:
    """Return the parameters of the network as they are, as a group of frozen ones."""
    names = (name for k in range(mlp.layers) for name in (f"w{k}", f"b{k}"))
    return FROZEN.named({name: parameters[name].clone() for name in names})


def encode(
    mlp: MLP,
    network: MLP,
    parameters: Parameters,
    x: Tensor,
    y: Tensor,
    limit: float = LIMIT,
    group: Group = ENCODER,
) -> Tensor:
    """Encode transitions (M, T, ...) to (M, T, outputs), changes clipped at +-limit.

    group: of the encoder's parameters.
    """
    y = y.clamp(-limit, limit)
    parts = [x, y]
    if f"{FROZEN.prefix}w0" in parameters:
        parts.append(y - mlp.forward(FROZEN.part(parameters), x).detach())
    return network.forward(group.part(parameters), torch.cat(parts, dim=-1))
