"""A multi-layer perceptron as a pure function of its parameters, plain or updated per task."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Generator, Tensor
from torch.nn.functional import relu, silu

from ros_mbmrl.networks.activations import ACTIVATIONS
from ros_mbmrl.networks.attention import attend, attended, queries
from ros_mbmrl.networks.tasks import spread
from ros_mbmrl.networks.updates import LayerUpdate, Update

Parameters = dict[str, Tensor]


def _low_rank(z: Tensor, h: Tensor, left: Tensor, right: Tensor) -> Tensor:
    """Return z + (h left^T) right."""
    if left.shape[0] == 1:
        inner = (h.flatten(0, 1) @ left[0].mT).reshape(*h.shape[:2], -1)
    else:
        tasks = max(h.shape[0], left.shape[0])
        inner = spread(h, tasks) @ spread(left, tasks).mT
    tasks = max(inner.shape[0], right.shape[0])
    return torch.baddbmm(*(spread(part, tasks) for part in (z, inner, right)))


class Pass(NamedTuple):
    """Values on a pass through the network.

    outputs: (N, T, outputs). inputs: of each layer. pre_activations: of each hidden one.
    """

    outputs: Tensor
    inputs: list[Tensor]
    pre_activations: list[Tensor]


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
        """Return the number of linear layers."""
        return len(self.sizes) - 1

    @property
    def no_update(self) -> Update:
        """Return the update that changes nothing."""
        return Update((LayerUpdate(),) * self.layers)

    def init(self, generator: Generator) -> Parameters:
        """Draw weights w0.. (inputs, outputs), LeCun normal; zero biases b0.. (outputs,)."""
        parameters: Parameters = {}
        for k, (inputs, outputs) in enumerate(pairwise(self.sizes)):
            weight = torch.randn(inputs, outputs, generator=generator) / math.sqrt(inputs)
            parameters[f"w{k}"] = weight
            parameters[f"b{k}"] = torch.zeros(outputs)
        return parameters

    def act(self, z: Tensor) -> Tensor:
        """Return the activation of hidden units."""
        match self.activation:
            case "tanh":
                return torch.tanh(z)
            case "relu":
                return relu(z)
        return silu(z)

    def act_(self, z: Tensor) -> Tensor:
        """Compute the same in place."""
        match self.activation:
            case "tanh":
                return torch.tanh_(z)
            case "relu":
                return torch.relu_(z)
        return silu(z, inplace=True)

    def act_backward(self, delta: Tensor, z: Tensor, h: Tensor) -> Tensor:
        """Return errors before the activation h of z from those after it; differentiable again."""
        if self.activation == "tanh":
            back: Tensor = torch.ops.aten.tanh_backward(delta, h)
        elif self.activation == "relu":
            back = delta * (z > 0)
        elif torch.is_grad_enabled():
            gate = torch.sigmoid(z)
            back = delta * (gate * (1 + z * (1 - gate)))
        else:  # in one operation, which has no derivative
            back = torch.ops.aten.silu_backward(delta, z)
        return back

    def forward(self, parameters: Parameters, x: Tensor) -> Tensor:
        """Return outputs (..., outputs) of inputs (..., inputs)."""
        h = x.reshape(-1, x.shape[-1])
        attention = attended(parameters)
        for k in range(self.layers):
            z = torch.addmm(parameters[f"b{k}"], h, parameters[f"w{k}"])
            if k == 0 and attention is not None:
                z = z + attend(attention, queries(parameters, h[None]))[0]
            h = z
            if k < self.layers - 1:
                h = self.act(h)
        return h.reshape(*x.shape[:-1], -1)

    def forward_updated(self, parameters: Parameters, update: Update, x: Tensor) -> Pass:
        """Pass x (N, T, inputs) through N updated tasks; (M, T, inputs), through each M-th."""
        inputs: list[Tensor] = []
        pre_activations: list[Tensor] = []
        h = x if update.inputs is None else update.inputs(x)
        for k, change in enumerate(update.layers):
            inputs.append(h)
            rows = torch.addmm(parameters[f"b{k}"], h.flatten(0, 1), parameters[f"w{k}"])
            z = rows.reshape(*h.shape[:2], -1)
            if change.left is not None and change.right is not None:
                z = _low_rank(z, h, change.left, change.right)
            if change.bias is not None:
                tasks = max(z.shape[0], change.bias.shape[0])
                z = spread(z, tasks) + spread(change.bias, tasks)
            if k == 0 and update.attention is not None:
                more = attend(update.attention, queries(parameters, h))
                tasks = max(len(z), len(more))
                z = spread(z, tasks) + spread(more, tasks)
            if k < self.layers - 1:
                pre_activations.append(z)
                h = self.act(z)
        return Pass(z, inputs, pre_activations)

    def materialise(self, parameters: Parameters, update: Update) -> Parameters:
        """Return parameters with the update of one task (N = 1) written in; others are shared."""
        adapted = dict(parameters)
        for k, change in enumerate(update.layers):
            if change.left is not None and change.right is not None:
                adapted[f"w{k}"] = torch.addmm(
                    parameters[f"w{k}"], change.left[0].mT, change.right[0]
                )
            if change.bias is not None:
                adapted[f"b{k}"] = parameters[f"b{k}"] + change.bias[0, 0]
        if update.attention is not None:
            adapted |= update.attention.named()
        if update.inputs is not None:  # w (scale x + shift) + b
            scale, shift = update.inputs.scale[0], update.inputs.shift[0]
            adapted["b0"] = adapted["b0"] + shift @ adapted["w0"]
            adapted["w0"] = scale[:, None] * adapted["w0"]
        return adapted

    def materialise_each(self, parameters: Parameters, update: Update) -> Parameters:
        """Return parameters with N tasks' updates written in; unchanged ones are shared.

        Changed weights are (N, inputs, outputs), changed biases (N, 1, outputs). A pass of T rows
        a task through the factors costs T R (inputs + outputs) more than without them, writing
        them in R inputs outputs once: less, where T is larger than half of a layer's width.
        """
        adapted = dict(parameters)
        for k, change in enumerate(update.layers):
            weight, bias = parameters[f"w{k}"], parameters[f"b{k}"]
            if change.left is not None and change.right is not None:
                tasks = max(len(change.left), len(change.right))
                parts = (weight[None], change.left.mT, change.right)
                adapted[f"w{k}"] = torch.baddbmm(*(spread(part, tasks) for part in parts))
            if change.bias is not None:
                adapted[f"b{k}"] = bias + change.bias
        if update.attention is not None:
            adapted |= update.attention.named()
        if update.inputs is not None:
            scale, shift = update.inputs.scale, update.inputs.shift
            adapted["b0"] = adapted["b0"] + shift[:, None] @ adapted["w0"]
            adapted["w0"] = scale[:, :, None] * adapted["w0"]
        return adapted
