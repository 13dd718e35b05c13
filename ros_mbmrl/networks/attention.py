"""Attention of a network's inputs to transitions: their part of the first layer's pre-activations.

An input x attends to R transitions by the similarity of q(x) to their keys,

    z += sum_i softmax_i(beta <q(x), k_i>) v_i.

q and the keys' network are the same: a linear map (group `query`, scaled dot products, Vaswani et
al. 2017), or a layer whose outputs are normalised (group `cosine`, the similarity of Wang and van
Hoof, *Model-based Meta Reinforcement Learning using Graph Structured Surrogate Models*, section
4.1). beta is in the keys. Keys and queries have one more number, by which a missing transition is
left out: the logarithm of its weight, times 1.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Generator, Tensor
from torch.nn.functional import normalize

from ros_mbmrl.networks.groups import ATTENDED, COSINE, QUERY
from ros_mbmrl.networks.tasks import spread

MISSING = -1e4  # logarithm of the weight of a transition that does not count


@dataclass(frozen=True)
class Attention:
    """Transitions of N tasks that inputs attend to.

    Args:
        keys: (N, R, k + 1).
        values: (N, R, outputs), in units of the first layer's pre-activations.
    """

    keys: Tensor
    values: Tensor

    def where(self, wanted: Tensor) -> Attention:
        """Return that of the tasks that are `wanted` (N,), and nothing for the others."""
        values = spread(self.values, len(wanted))
        mask = wanted[:, None, None]
        return Attention(self.keys, values.where(mask, values.new_zeros(())))

    def tasks(self, which: slice) -> Attention:
        """Return that of some of the tasks."""
        return Attention(self.keys[which], self.values[which])

    def repeated(self, times: int) -> Attention:
        """Return that of each task `times` times, one task after the other."""
        keys, values = (part.repeat_interleave(times, dim=0) for part in (self.keys, self.values))
        return Attention(keys, values)

    def named(self) -> dict[str, Tensor]:
        """Return it as parameters of an adapted model."""
        return ATTENDED.named({"keys": self.keys, "values": self.values})


def attended(parameters: Mapping[str, Tensor]) -> Attention | None:
    """Return what the inputs of an adapted model attend to; None of any other model."""
    keys = parameters.get(f"{ATTENDED.prefix}keys")
    return None if keys is None else Attention(keys, parameters[f"{ATTENDED.prefix}values"])


def attends(parameters: Mapping[str, Tensor]) -> bool:
    """Tell whether the inputs of an adapted model, or of a member of it, attend to transitions."""
    return any(name.endswith(f"{ATTENDED.prefix}keys") for name in parameters)


def network_of(parameters: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the parameters of queries and keys."""
    own = (COSINE.prefix, QUERY.prefix)
    return {name: value for name, value in parameters.items() if name.startswith(own)}


def init(inputs: int, size: int, cosine: bool, generator: Generator) -> dict[str, Tensor]:
    """Draw the layer from `inputs` numbers to the `size` numbers of queries and keys."""
    weight = torch.randn(inputs, size, generator=generator) / math.sqrt(inputs)
    return (COSINE if cosine else QUERY).named({"w": weight, "b": torch.zeros(size)})


def similar(parameters: Mapping[str, Tensor], x: Tensor) -> Tensor:
    """Return the numbers (N, T, k) by which inputs (N, T, inputs) are compared."""
    cosine = f"{COSINE.prefix}w" in parameters
    prefix = (COSINE if cosine else QUERY).prefix
    weight, bias = parameters[f"{prefix}w"], parameters[f"{prefix}b"]
    told = torch.addmm(bias, x.flatten(0, 1), weight).view(*x.shape[:2], -1)
    return normalize(torch.relu(told), dim=-1, eps=1e-6) if cosine else told


def queries(parameters: Mapping[str, Tensor], x: Tensor) -> Tensor:
    """Return the queries (N, T, k + 1) of inputs (N, T, inputs)."""
    told = similar(parameters, x)
    return torch.cat([told, told.new_ones(*told.shape[:2], 1)], dim=-1)


def keys(parameters: Mapping[str, Tensor], x: Tensor, weight: Tensor, temperature: float) -> Tensor:
    """Return the keys (N, R, k + 1) of transitions.

    Args:
        parameters: with the group `query` or `cosine`.
        x: inputs (M, R, inputs); M divides N.
        weight: (N, R, 1), above 0 where a transition counts.
        temperature: beta; 0 is the mean of all transitions.
    """
    told = similar(parameters, x)
    if f"{COSINE.prefix}w" not in parameters:
        told = told / math.sqrt(told.shape[-1])
    counts = torch.where(weight > 0, 0.0, MISSING).to(told)
    return torch.cat([spread(temperature * told, len(weight)), counts], dim=-1)


def shares(found: Tensor, asked: Tensor) -> Tensor:
    """Return weights (N, T, R) that sum to 1, of keys (N, R, k + 1) for queries (N, T, k + 1).

    Either may be of fewer tasks, see `spread`.
    """
    tasks = max(len(found), len(asked))
    return torch.bmm(spread(asked, tasks), spread(found, tasks).mT).softmax(dim=-1)


def attend(attention: Attention, asked: Tensor) -> Tensor:
    """Return the weighted values (N, T, outputs) for queries (N, T, k + 1)."""
    found = shares(attention.keys, asked)
    return torch.bmm(found, spread(attention.values, len(found)))
