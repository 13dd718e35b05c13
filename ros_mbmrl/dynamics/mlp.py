"""A multi-layer perceptron as a pure function of its parameters, plain or updated per task.

An inner gradient step through a linear layer changes its weights by a matrix of rank T1, so
tasks never need weights of their own: with h the layer's inputs and delta the back-propagated
errors of the T1 transitions, the updated layer is

    x W + b - a (x h^T) delta - a sum(delta).

`LayerUpdate` holds these factors for a batch of tasks. Every update rule of this project is
one: a gradient step has all three, a conditioned or shifted bias only the last.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Generator, Tensor
from torch.nn.functional import silu

Parameters = dict[str, Tensor]

ACTIVATIONS = ("tanh", "silu")


@dataclass(frozen=True)
class LayerUpdate:
    """W += left^T right, b += bias, for each of N tasks.

    left: (N, R, inputs) and right: (N, R, outputs), or None. bias: (N, 1, outputs), or None.
    """

    left: Tensor | None = None
    right: Tensor | None = None
    bias: Tensor | None = None

    def plus(self, other: LayerUpdate) -> LayerUpdate:
        """Both updates, one after the other."""
        if self.left is None and self.bias is None:
            return other

        def join(a: Tensor | None, b: Tensor | None) -> Tensor | None:
            return b if a is None else a if b is None else torch.cat([a, b], dim=1)

        bias = other.bias if self.bias is None else self.bias
        if self.bias is not None and other.bias is not None:
            bias = self.bias + other.bias
        return LayerUpdate(join(self.left, other.left), join(self.right, other.right), bias)

    def where(self, wanted: Tensor) -> LayerUpdate:
        """The update of the tasks that `wanted` (N,) names; none, not even NaN, for the others."""
        mask = wanted[:, None, None]
        parts = (self.left, self.right, self.bias)
        return LayerUpdate(*(None if p is None else p.where(mask, p.new_zeros(())) for p in parts))

    def tasks(self, which: slice) -> LayerUpdate:
        """The update of some of the tasks."""
        parts = (self.left, self.right, self.bias)
        return LayerUpdate(*(None if part is None else part[which] for part in parts))


@dataclass(frozen=True)
class Update:
    """What adaptation changes, of N tasks: every layer and, of a recurrent model, its memory.

    hidden: (N, size), zero in the rows of tasks that remember nothing, or None (`recurrent`).
    """

    layers: tuple[LayerUpdate, ...]
    hidden: Tensor | None = None

    def where(self, wanted: Tensor) -> Update:
        """The update of the tasks that `wanted` (N,) names; none, not even NaN, for the others."""
        hidden = self.hidden
        if hidden is not None:
            hidden = hidden.where(wanted[:, None], hidden.new_zeros(()))
        return Update(tuple(layer.where(wanted) for layer in self.layers), hidden)

    def tasks(self, which: slice) -> Update:
        """The update of some of the tasks."""
        hidden = None if self.hidden is None else self.hidden[which]
        return Update(tuple(layer.tasks(which) for layer in self.layers), hidden)


@dataclass(frozen=True)
class MLP:
    """Shape of the network: sizes = (inputs, hidden, ..., outputs); parameters are apart."""

    sizes: tuple[int, ...]
    activation: str = "tanh"

    def __post_init__(self) -> None:
        if len(self.sizes) < 2 or min(self.sizes) < 1:
            raise ValueError(f"sizes: expected at least two positive numbers, got {self.sizes}")
        if self.activation not in ACTIVATIONS:
            raise ValueError(f"activation: expected one of {ACTIVATIONS}, got {self.activation!r}")

    @property
    def layers(self) -> int:
        """Number of linear layers."""
        return len(self.sizes) - 1

    @property
    def no_update(self) -> Update:
        """The update that changes nothing."""
        return Update((LayerUpdate(),) * self.layers)

    def init(self, generator: Generator) -> Parameters:
        """Fresh weights w0.. (inputs, outputs) and biases b0.. (outputs,), LeCun normal."""
        parameters: Parameters = {}
        for k, (inputs, outputs) in enumerate(pairwise(self.sizes)):
            weight = torch.randn(inputs, outputs, generator=generator) / math.sqrt(inputs)
            parameters[f"w{k}"] = weight
            parameters[f"b{k}"] = torch.zeros(outputs)
        return parameters

    def act(self, z: Tensor) -> Tensor:
        """The activation of hidden units."""
        return torch.tanh(z) if self.activation == "tanh" else silu(z)

    def act_(self, z: Tensor) -> Tensor:
        """The same in place."""
        return torch.tanh_(z) if self.activation == "tanh" else silu(z, inplace=True)

    def act_slope(self, z: Tensor) -> Tensor:
        """Its derivative, written out so that it can be differentiated once more."""
        if self.activation == "tanh":
            return 1 - torch.tanh(z).square()
        gate = torch.sigmoid(z)
        return gate * (1 + z * (1 - gate))

    def forward(self, parameters: Parameters, x: Tensor) -> Tensor:
        """Outputs (..., outputs) of inputs (..., inputs)."""
        h = x.reshape(-1, x.shape[-1])
        for k in range(self.layers):
            h = torch.addmm(parameters[f"b{k}"], h, parameters[f"w{k}"])
            if k < self.layers - 1:
                h = self.act(h)
        return h.reshape(*x.shape[:-1], -1)

    def forward_updated(
        self, parameters: Parameters, update: Update, x: Tensor
    ) -> tuple[Tensor, list[Tensor], list[Tensor]]:
        """Outputs (N, T, outputs) of x (N, T, inputs) for N updated tasks.

        Also each layer's inputs h and, for the hidden ones, pre-activations z.
        """
        inputs: list[Tensor] = []
        pre_activations: list[Tensor] = []
        h = x
        for k, change in enumerate(update.layers):
            inputs.append(h)
            z = h @ parameters[f"w{k}"] + parameters[f"b{k}"]
            if change.left is not None and change.right is not None:
                z = z + (h @ change.left.mT) @ change.right
            if change.bias is not None:
                z = z + change.bias
            if k < self.layers - 1:
                pre_activations.append(z)
                h = self.act(z)
        return z, inputs, pre_activations

    def materialise(self, parameters: Parameters, update: Update) -> Parameters:
        """Parameters with the update of a single task (N = 1) written in; others are shared."""
        adapted = dict(parameters)
        for k, change in enumerate(update.layers):
            if change.left is not None and change.right is not None:
                adapted[f"w{k}"] = torch.addmm(
                    parameters[f"w{k}"], change.left[0].mT, change.right[0]
                )
            if change.bias is not None:
                adapted[f"b{k}"] = parameters[f"b{k}"] + change.bias[0, 0]
        return adapted
