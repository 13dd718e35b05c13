"""Encoder: from the transitions of a task to a Gaussian of its latent variable z.

What GSSM and the neural processes share: sizes (Wang and van Hoof, *Model-based Meta Reinforcement
Learning using Graph Structured Surrogate Models*, table 4), the Gaussian's head, and the decoder, a
network of [x, z]: its first layer's pre-activations are x W + b + z V, so that z shifts a bias.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Generator, Tensor

from ros_mbmrl.dynamics.latent import transitions
from ros_mbmrl.dynamics.latent.base import Code, Rows
from ros_mbmrl.networks.groups import CONDITION, ENCODER, FROZEN, GRAPH
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.networks.tasks import spread
from ros_mbmrl.networks.updates import LayerUpdate, Update

SMALLEST = 0.01  # deviation of z; the largest is 1 more
AT_FIRST = -2.0  # logit of the deviation: a z of noise alone would not be heeded
INTO = f"{CONDITION.prefix}b0"  # V


@dataclass(frozen=True)
class Looked:
    """An encoder's view of the contexts of N tasks.

    Args:
        code: q(z_c), eq. 6.
        keys: (N, C, k + 1) of the transitions, see `networks.attention`; None without attention.
        values: (N, C, ...) of the transitions, passed on to the target; None without attention.
    """

    code: Code
    keys: Tensor | None = None
    values: Tensor | None = None


@dataclass(frozen=True)
class Encoder(ABC):
    """From transitions to z.

    Args:
        size: numbers of z (dim_lat).
        hidden: width of the encoder of transitions (dim_latxy).
        depth: its hidden layers (n).
        keys: numbers that inputs are compared by (dim_latx).
        temperature: beta of eq. 5, above 0.
    """

    size: int = 16
    hidden: int = 32
    depth: int = 2
    keys: int = 32
    temperature: float = 1.0
    targets: ClassVar[bool] = False  # whether the approximate posterior sees targets' outcomes

    def __post_init__(self) -> None:
        for name in ("size", "hidden", "depth", "keys"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ValueError(f"{name}: expected an integer of at least 1, got {value!r}")
        beta = self.temperature
        number = isinstance(beta, (int, float)) and not isinstance(beta, bool)
        if not (number and 0 < beta < math.inf):
            raise ValueError(f"temperature: expected a number above 0, got {beta!r}")

    @property
    def reads(self) -> int:
        """Return how many numbers the decoder reads beside x."""
        return self.size

    def init(
        self, mlp: MLP, parameters: Parameters, generator: Generator, frozen: bool = False
    ) -> Parameters:
        """Draw the encoder's parameters, and the map from z to the decoder.

        Args:
            mlp: the decoder without z.
            parameters: of `mlp`.
            generator: of the weights.
            frozen: whether `mlp` is a fitted model, which training goes on from: its errors are
                encoded, and z changes nothing at first.
        """
        network = self._network(mlp, frozen)
        own = ENCODER.named(network.init(generator)) | self._own(mlp, frozen, generator)
        own |= GRAPH.named(layer("head", self.hidden, 2 * self.size, generator))
        own[f"{GRAPH.prefix}head_b"][self.size :] = AT_FIRST
        width = mlp.sizes[1]
        if frozen:
            own |= transitions.frozen_of(mlp, parameters)
            return own | {INTO: torch.zeros(self.reads, width)}
        scale = 1 / math.sqrt(mlp.sizes[0] + self.reads)
        return own | {INTO: scale * torch.randn(self.reads, width, generator=generator)}

    @abstractmethod
    def look(self, mlp: MLP, parameters: Parameters, rows: Rows) -> Looked:
        """Look at the contexts of N tasks."""

    def at(self, parameters: Parameters, looked: Looked, x: Tensor) -> tuple[Code, Tensor | None]:
        """Return q(z) at inputs (N, T, inputs), and what else is read there, (N, T, ...), or None.

        Where z is the same for all inputs of a task, q(z) has one row in place of T.
        """
        return Code(*(part[:, None] for part in looked.code)), None

    @abstractmethod
    def update(self, mlp: MLP, parameters: Parameters, looked: Looked) -> Update:
        """Return the decoder's update by z in the mean of its Gaussian.

        Its spread is that of q(z_c), eq. 6, at every target.
        """

    def encoded(self, mlp: MLP, parameters: Parameters, rows: Rows) -> Tensor:
        """Encode each transition, (N, C, hidden)."""
        network = self._network(mlp, f"{FROZEN.prefix}w0" in parameters)
        found = transitions.encode(mlp, network, parameters, rows.x, rows.y)
        return spread(mlp.act(found), len(rows.weight))

    def head(self, parameters: Parameters, pooled: Tensor) -> Code:
        """Return the Gaussian of pooled codes (..., hidden): mean and deviation (..., size)."""
        mean, raw = linear(parameters, "head", pooled).chunk(2, dim=-1)
        return Code(mean, SMALLEST + torch.sigmoid(raw))

    def _network(self, mlp: MLP, frozen: bool) -> MLP:
        return transitions.transition_encoder(mlp, self.hidden, self.hidden, self.depth, frozen)

    def _own(self, mlp: MLP, frozen: bool, generator: Generator) -> Parameters:
        """Draw what only this encoder has."""
        return {}


def joined(z: Tensor, local: Tensor | None) -> Tensor:
    """Return all that the decoder reads beside x: z, and with it what is read of the target."""
    if local is None:
        return z
    both = z + torch.zeros_like(local), local + torch.zeros_like(z)
    return torch.cat(both, dim=-1)


def layer(name: str, inputs: int, outputs: int, generator: Generator) -> Parameters:
    """Draw a linear layer of the group `graph`."""
    weight = torch.randn(inputs, outputs, generator=generator) / math.sqrt(inputs)
    return {f"{name}_w": weight, f"{name}_b": torch.zeros(outputs)}


def linear(parameters: Parameters, name: str, x: Tensor) -> Tensor:
    """Pass x (..., inputs) through a layer of the group `graph`."""
    prefix = GRAPH.prefix + name
    return x @ parameters[f"{prefix}_w"] + parameters[f"{prefix}_b"]


def spread_of(parameters: Parameters, code: Code) -> Tensor:
    """Return how the first layer's biases vary with the numbers of z, (N, size, width)."""
    size = code.deviation.shape[-1]
    return code.deviation[..., None] * parameters[INTO][:size]


def first_layer(mlp: MLP, bias: Tensor) -> Update:
    """Return the update that adds `bias`, (N, 1, width) or (N, T, width), to the first layer."""
    return Update((LayerUpdate(bias=bias), *mlp.no_update.layers[1:]))


def decode(mlp: MLP, parameters: Parameters, x: Tensor, read: Tensor) -> Tensor:
    """Return the outputs (N, T, outputs) of the decoder.

    Args:
        x: inputs (N, T, inputs), or of fewer tasks, see `spread`.
        read: (N, T, reads) or (N, 1, reads): z and what else is read.
    """
    return mlp.forward_updated(parameters, first_layer(mlp, read @ parameters[INTO]), x).outputs
