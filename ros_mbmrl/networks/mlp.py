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
from typing import NamedTuple

import torch
from torch import Generator, Tensor
from torch.nn.functional import silu

from ros_mbmrl.networks.activations import ACTIVATIONS

Parameters = dict[str, Tensor]


@dataclass(frozen=True)
class LayerUpdate:
    """W += left^T right, b += bias, for each of N tasks.

    left: (N, R, inputs) and right: (N, R, outputs), or None. bias: (N, 1, outputs), or None.
    A part may be of fewer tasks, (M, ...) where M divides N: it holds for every M-th (`spread`).
    """

    left: Tensor | None = None
    right: Tensor | None = None
    bias: Tensor | None = None

    def plus(self, other: LayerUpdate) -> LayerUpdate:
        """Return both updates, one after the other."""
        if self.left is None and self.bias is None:
            return other

        def join(a: Tensor | None, b: Tensor | None) -> Tensor | None:
            if a is None or b is None:
                return b if a is None else a
            tasks = max(len(a), len(b))
            return torch.cat([spread(a, tasks), spread(b, tasks)], dim=1)

        bias = other.bias if self.bias is None else self.bias
        if self.bias is not None and other.bias is not None:
            tasks = max(len(self.bias), len(other.bias))
            bias = spread(self.bias, tasks) + spread(other.bias, tasks)
        return LayerUpdate(join(self.left, other.left), join(self.right, other.right), bias)

    def where(self, wanted: Tensor) -> LayerUpdate:
        """Return the update of the tasks that are `wanted` (N,), and none for the others."""
        mask = wanted[:, None, None]

        def chosen(part: Tensor) -> Tensor:
            return spread(part, len(wanted)).where(mask, part.new_zeros(()))

        return LayerUpdate(*(None if p is None else chosen(p) for p in self._parts))

    def tasks(self, which: slice) -> LayerUpdate:
        """Return the update of some of the tasks, from `which.start` to before `which.stop`."""

        def chosen(part: Tensor) -> Tensor:
            if which.start % len(part) == which.stop % len(part) == 0:
                return part  # of all of them, or every M-th still has the same
            if which.stop <= len(part):
                return part[which]
            return part[[n % len(part) for n in range(which.start, which.stop)]]

        return LayerUpdate(*(None if p is None else chosen(p) for p in self._parts))

    def repeated(self, times: int) -> LayerUpdate:
        """Return the update of each task `times` times, one task after the other."""
        count = max((len(p) for p in self._parts if p is not None), default=0)

        def each(part: Tensor) -> Tensor:
            return spread(part, count).repeat_interleave(times, dim=0)

        return LayerUpdate(*(None if p is None else each(p) for p in self._parts))

    @property
    def _parts(self) -> tuple[Tensor | None, ...]:
        return self.left, self.right, self.bias


@dataclass(frozen=True)
class InputUpdate:
    """x becomes scale * x + shift, for each of N tasks; both (N, inputs).

    belief: (N, J), the probabilities of the hypotheses that it was chosen among, or None.
    """

    scale: Tensor
    shift: Tensor
    belief: Tensor | None = None

    def __call__(self, x: Tensor) -> Tensor:
        """Return the inputs (N, T, inputs) that the network is given."""
        tasks = max(len(x), len(self.scale))
        scale, shift = (spread(part, tasks)[:, None] for part in (self.scale, self.shift))
        return torch.addcmul(shift, scale, spread(x, tasks))

    def where(self, wanted: Tensor) -> InputUpdate:
        """Return the update of the tasks that are `wanted` (N,), and none for the others."""
        mask = wanted[:, None]
        scale, shift = self.scale, self.shift
        well = scale.where(mask, scale.new_ones(())), shift.where(mask, 0 * shift)
        return InputUpdate(*well, self.belief)

    def tasks(self, which: slice) -> InputUpdate:
        """Return the update of some of the tasks."""
        belief = None if self.belief is None else self.belief[which]
        return InputUpdate(self.scale[which], self.shift[which], belief)

    def repeated(self, times: int) -> InputUpdate:
        """Return the update of each task `times` times, one task after the other."""
        scale, shift = (p.repeat_interleave(times, dim=0) for p in (self.scale, self.shift))
        belief = None if self.belief is None else self.belief.repeat_interleave(times, dim=0)
        return InputUpdate(scale, shift, belief)


@dataclass(frozen=True)
class Update:
    """Changes by adaptation, of N tasks: every layer and, of a recurrent model, its memory.

    Args:
        layers: of the network.
        hidden: (N, size), zero in the rows of tasks that remember nothing, or None (`recurrent`).
        inputs: how the inputs are changed first, or None.
    """

    layers: tuple[LayerUpdate, ...]
    hidden: Tensor | None = None
    inputs: InputUpdate | None = None

    @property
    def changes_nothing(self) -> bool:
        """Tell whether this is the prior."""
        layers = all(layer.left is None and layer.bias is None for layer in self.layers)
        return layers and self.inputs is None

    def where(self, wanted: Tensor) -> Update:
        """Return the update of the tasks that are `wanted` (N,), and none for the others."""
        hidden = self.hidden
        if hidden is not None:
            hidden = hidden.where(wanted[:, None], hidden.new_zeros(()))
        inputs = None if self.inputs is None else self.inputs.where(wanted)
        return Update(tuple(layer.where(wanted) for layer in self.layers), hidden, inputs)

    def tasks(self, which: slice) -> Update:
        """Return the update of some of the tasks."""
        hidden, inputs = None if self.hidden is None else self.hidden[which], self.inputs
        inputs = None if inputs is None else inputs.tasks(which)
        return Update(tuple(layer.tasks(which) for layer in self.layers), hidden, inputs)

    def repeated(self, times: int) -> Update:
        """Return the update of each task `times` times, one task after the other."""
        hidden = None if self.hidden is None else self.hidden.repeat_interleave(times, dim=0)
        inputs = None if self.inputs is None else self.inputs.repeated(times)
        return Update(tuple(layer.repeated(times) for layer in self.layers), hidden, inputs)


def spread(part: Tensor, tasks: int) -> Tensor:
    """Repeat a part of M tasks, (M, ...), for `tasks` of them: every M-th has the same."""
    if len(part) == tasks:
        return part
    if len(part) == 1:
        return part.expand(tasks, *part.shape[1:])
    return part.repeat(tasks // len(part), *[1] * (part.dim() - 1))


def _low_rank(z: Tensor, h: Tensor, left: Tensor, right: Tensor) -> Tensor:
    """Return z + (h left^T) right."""
    if len(left) == 1:
        inner = (h.flatten(0, 1) @ left[0].mT).reshape(*h.shape[:2], -1)
    else:
        tasks = max(len(h), len(left))
        inner = spread(h, tasks) @ spread(left, tasks).mT
    tasks = max(len(inner), len(right))
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
        return torch.tanh(z) if self.activation == "tanh" else silu(z)

    def act_(self, z: Tensor) -> Tensor:
        """Compute the same in place."""
        return torch.tanh_(z) if self.activation == "tanh" else silu(z, inplace=True)

    def act_backward(self, delta: Tensor, z: Tensor, h: Tensor) -> Tensor:
        """Return errors before the activation h of z from those after it; differentiable again."""
        if self.activation == "tanh":
            back: Tensor = torch.ops.aten.tanh_backward(delta, h)
        elif torch.is_grad_enabled():
            gate = torch.sigmoid(z)
            back = delta * (gate * (1 + z * (1 - gate)))
        else:  # in one operation, which has no derivative
            back = torch.ops.aten.silu_backward(delta, z)
        return back

    def forward(self, parameters: Parameters, x: Tensor) -> Tensor:
        """Return outputs (..., outputs) of inputs (..., inputs)."""
        h = x.reshape(-1, x.shape[-1])
        for k in range(self.layers):
            h = torch.addmm(parameters[f"b{k}"], h, parameters[f"w{k}"])
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
                tasks = max(len(z), len(change.bias))
                z = spread(z, tasks) + spread(change.bias, tasks)
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
        if update.inputs is not None:
            scale, shift = update.inputs.scale, update.inputs.shift
            adapted["b0"] = adapted["b0"] + shift[:, None] @ adapted["w0"]
            adapted["w0"] = scale[:, :, None] * adapted["w0"]
        return adapted
