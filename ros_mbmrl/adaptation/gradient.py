"""Gradient steps on the window: GrBAL (thesis eq. 24) when meta-learned, MB+DE when not.

Exact to second order: the back-propagated errors are written by hand in the low-rank form of
`networks.mlp`, and the outer gradient is taken through them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Generator, Tensor

from ros_mbmrl.adaptation.base import Support, UpdateRule
from ros_mbmrl.networks.groups import PSI
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.networks.tasks import spread
from ros_mbmrl.networks.updates import LayerUpdate, Update


@dataclass(frozen=True)
class GradientStep(UpdateRule):
    """Gradient steps: phi' = phi - psi * grad of the robust mean squared error over the window.

    Args:
        steps: how many.
        step, bias_step: step sizes of weights and of biases; for a meta-learned rule they are the
            initial values, and psi (one per tensor, in logarithms) replaces them.
        limit: Huber's corner, in normalised units: the gradient of larger errors is constant.
    """

    steps: int = 1
    step: float = 0.02
    bias_step: float = 0.02
    limit: float = 3.0
    meta_trained: bool = False

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise ValueError(f"steps: expected at least 1, got {self.steps}")
        if not (self.step > 0 and self.bias_step > 0 and self.limit > 0):
            raise ValueError("step, bias_step, limit: expected numbers above 0")

    def init(self, mlp: MLP, parameters: Parameters, generator: Generator) -> Parameters:
        """Return psi: log step sizes, (steps,) for each weight and each bias."""
        if not self.meta_trained:
            return {}
        starts = {"w": math.log(self.step), "b": math.log(self.bias_step)}
        return PSI.named(
            {
                f"{kind}{k}": torch.full((self.steps,), start)
                for k in range(mlp.layers)
                for kind, start in starts.items()
            }
        )

    @property
    def descent(self) -> GradientStep:
        """Return this rule."""
        return self

    def step_sizes(self, mlp: MLP, parameters: Parameters) -> Tensor:
        """Return step sizes (steps, 2 layers): of all layers' weights, then of all biases."""
        if not self.meta_trained:
            sizes = [self.step] * mlp.layers + [self.bias_step] * mlp.layers
            return parameters["w0"].new_tensor([sizes] * self.steps)
        own = PSI.part(parameters)
        logs = [own[f"{kind}{k}"] for kind in "wb" for k in range(mlp.layers)]
        return torch.stack(logs, dim=1).exp()

    def update(self, mlp: MLP, parameters: Parameters, support: Support) -> Update:
        """Return the update of eq. 24, `steps` times from the prior."""
        return self.descend(mlp, parameters, support, mlp.no_update)

    def descend(self, mlp: MLP, parameters: Parameters, support: Support, start: Update) -> Update:
        """Return the update of eq. 24, `steps` times from the prior updated by `start`."""
        update = start
        for sizes in self.step_sizes(mlp, parameters).unbind():
            # For each row, (N, T1, 2 layers): its share in the loss times the step sizes.
            pull = torch.split(-support.share * sizes, 1, dim=2)
            y, inputs, pre_activations = support.forward(mlp, parameters, update)
            wanted = spread(support.y, y.shape[0])
            # d loss / d y of each row's Huber loss, the mean over outputs. The row's share in the
            # loss is multiplied in last, so that tasks which share rows share their deltas.
            delta = (y - wanted).clamp(-self.limit, self.limit) * (support.scale / y.shape[-1])
            changes: list[LayerUpdate] = []
            for k in reversed(range(mlp.layers)):
                own = spread(delta, support.weight.shape[0])
                bias = pull[mlp.layers + k].mT @ own
                changes.append(LayerUpdate(inputs[k], pull[k] * own, bias))
                if k == 0:
                    break
                back = delta @ parameters[f"w{k}"].mT
                old = update.layers[k]
                if old.left is not None and old.right is not None:
                    tasks = old.right.shape[0]
                    back, delta = spread(back, tasks), spread(delta, tasks)
                    back = back + (delta @ old.right.mT) @ spread(old.left, tasks)
                tasks, both = back.shape[0], (pre_activations[k - 1], inputs[k])
                before, after = (spread(part, tasks) for part in both)
                delta = mlp.act_backward(back, before, after)
            layers = zip(update.layers, reversed(changes), strict=True)
            update = Update(tuple(old.plus(new) for old, new in layers), start.hidden)
        return update


def grbal(steps: int = 3, step: float = 0.02, bias_step: float = 0.5, **more: Any) -> GradientStep:
    """Return GrBAL: the step sizes are initial values, and are learned."""
    return GradientStep(steps, step, bias_step, meta_trained=True, **more)
