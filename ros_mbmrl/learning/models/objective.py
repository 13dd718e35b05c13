"""Objectives, eq. 22 and 23 and the supervised fit, and their gradient by autograd.

A batch goes through in parts that stay in the caches: a graph of the whole one would take
gigabytes, and longer to be given them than to compute.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext

import torch
from torch import Tensor

from ros_mbmrl.adaptation.base import Support, UpdateRule
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.networks.recurrent import predict_segment

# Parameters, past and future -> the mean loss of the tasks, (), and its gradient by name.
Gradient = Callable[[Parameters, Support, Support], tuple[Tensor, Parameters]]
Loss = Callable[[Parameters, Support, Support], Tensor]

UNITS = 2**19  # numbers that a layer has at once


def segment_loss(output: Tensor, future: Support) -> Tensor:
    """Return eq. 23 for a Gaussian of fixed variance: weighted mean squared error over T2, (N,)."""
    error = ((output - future.y).square() * future.scale).mean(dim=-1, keepdim=True)
    return (error * future.share).sum(dim=(1, 2))


def meta_loss(
    mlp: MLP, rule: UpdateRule, parameters: Parameters, past: Support, future: Support
) -> Tensor:
    """Return eq. 22: the future's loss under parameters that were updated on the past."""
    update = rule.update(mlp, parameters, past)
    return segment_loss(predict_segment(mlp, parameters, update, future.x), future).mean()


def supervised_loss(mlp: MLP, parameters: Parameters, past: Support, future: Support) -> Tensor:
    """Return the loss of both segments under the parameters as they are."""
    both = [segment_loss(mlp.forward(parameters, s.x), s).mean() for s in (past, future)]
    return torch.stack(both).mean()


def in_parts(mlp: MLP, past: Support, future: Support) -> Iterator[tuple[Support, Support]]:
    """Split the tasks, as many at once as suit the processor."""
    tasks, longest = len(past.x), max(past.x.shape[1], future.x.shape[1])
    size = tasks if past.x.is_cuda else max(1, UNITS // (longest * max(mlp.sizes)))
    for first in range(0, tasks, size):
        part = slice(first, first + size)
        yield past.tasks(part), future.tasks(part)


class ByAutograd:
    """The gradient of a loss that is a mean over tasks.

    dtype: of the products, where autocast knows them; None: the parameters' own.
    """

    def __init__(self, mlp: MLP, loss: Loss, dtype: torch.dtype | None = None) -> None:
        self._mlp, self._loss, self._dtype = mlp, loss, dtype

    def __call__(
        self, parameters: Parameters, past: Support, future: Support
    ) -> tuple[Tensor, Parameters]:
        """See `Gradient`; parameters that need none, or have none, are left out."""
        trained = {name: value for name, value in parameters.items() if value.requires_grad}
        device, total, sums = past.x.device.type, past.x.new_zeros(()), Parameters()
        for part in in_parts(self._mlp, past, future):
            with torch.autocast(device, self._dtype) if self._dtype else nullcontext():
                loss = self._loss(parameters, *part) * (len(part[0].x) / len(past.x))
            found = torch.autograd.grad(loss, list(trained.values()), allow_unused=True)
            total += loss.detach()
            for name, value in zip(trained, found, strict=True):
                if value is not None:
                    sums[name] = sums[name].add_(value) if name in sums else value
        return total, sums
