"""Changes of a network by adaptation, one for each of N tasks.

An inner gradient step through a linear layer changes its weights by a matrix of rank T1, so
tasks never need weights of their own: with h the layer's inputs and delta the back-propagated
errors of the T1 transitions, the updated layer is

    x W + b - a (x h^T) delta - a sum(delta).

`LayerUpdate` holds these factors for a batch of tasks. Every update rule of this project is
one: a gradient step has all three, a conditioned or shifted bias only the last.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ros_mbmrl.networks.attention import Attention
from ros_mbmrl.networks.tasks import spread


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
            count = part.shape[0]
            if which.start % count == which.stop % count == 0:
                return part  # of all of them, or every M-th still has the same
            if which.stop <= count:
                return part[which]
            return part[[n % count for n in range(which.start, which.stop)]]

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
        attention: what the inputs attend to, added to the first layer's pre-activations, or None.
        spread: (N, J, outputs) of the first layer: how its biases vary with each of J independent
            standard normal numbers, where the update is the mean of a Gaussian (`drawn`); or None.
    """

    layers: tuple[LayerUpdate, ...]
    hidden: Tensor | None = None
    inputs: InputUpdate | None = None
    attention: Attention | None = None
    spread: Tensor | None = None

    @property
    def changes_nothing(self) -> bool:
        """Tell whether this is the prior."""
        layers = all(layer.left is None and layer.bias is None for layer in self.layers)
        return layers and self.inputs is None and self.attention is None

    def where(self, wanted: Tensor) -> Update:
        """Return the update of the tasks that are `wanted` (N,), and none for the others."""
        hidden = self.hidden
        if hidden is not None:
            hidden = hidden.where(wanted[:, None], hidden.new_zeros(()))
        inputs = None if self.inputs is None else self.inputs.where(wanted)
        attention = None if self.attention is None else self.attention.where(wanted)
        varied = self.spread
        if varied is not None:
            varied = spread(varied, len(wanted)).where(wanted[:, None, None], varied.new_zeros(()))
        layers = tuple(layer.where(wanted) for layer in self.layers)
        return Update(layers, hidden, inputs, attention, varied)

    def tasks(self, which: slice) -> Update:
        """Return the update of some of the tasks."""
        hidden, inputs = None if self.hidden is None else self.hidden[which], self.inputs
        inputs = None if inputs is None else inputs.tasks(which)
        attention = None if self.attention is None else self.attention.tasks(which)
        varied = None if self.spread is None else self.spread[which]
        layers = tuple(layer.tasks(which) for layer in self.layers)
        return Update(layers, hidden, inputs, attention, varied)

    def repeated(self, times: int) -> Update:
        """Return the update of each task `times` times, one task after the other."""
        hidden = None if self.hidden is None else self.hidden.repeat_interleave(times, dim=0)
        inputs = None if self.inputs is None else self.inputs.repeated(times)
        attention = None if self.attention is None else self.attention.repeated(times)
        varied = None if self.spread is None else self.spread.repeat_interleave(times, dim=0)
        layers = tuple(layer.repeated(times) for layer in self.layers)
        return Update(layers, hidden, inputs, attention, varied)

    def drawn(self, noise: Tensor) -> Update:
        """Return a draw of the update for each row (N, T), by standard normal noise (N, T, J)."""
        if self.spread is None:
            return self
        drawn, first = noise @ self.spread, self.layers[0]
        bias = drawn if first.bias is None else drawn + first.bias
        return replace(self, layers=(replace(first, bias=bias), *self.layers[1:]), spread=None)
