"""An adapter from outside: predictions are shifted by a share of the window's median error.

`pip install -e .`, then `mbmrl train median ROBOT ...` and `method:=median`.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from ros_mbmrl.adaptation.base import Support, UpdateRule
from ros_mbmrl.learning.tune import Grid
from ros_mbmrl.methods.method import Look, Method
from ros_mbmrl.networks.mlp import MLP, Parameters, spread
from ros_mbmrl.networks.updates import LayerUpdate, Update

GRID = Grid({"gain": (0.5, 1.0)})  # what `mbmrl train` and `mbmrl tune` choose from

METHOD = Method(
    "median",
    Look("median residual", "#0072b2", marker="*"),
    rule="median_residual:MedianResidual",
    model_of="mb",  # it adds to any model; MB's is the one to take
    grid="median_residual:GRID",
)


@dataclass(frozen=True)
class MedianResidual(UpdateRule):
    """Moves the bias of the last layer alone.

    Args:
        gain: the share of the median error that is added to every prediction, in (0, 1].
    """

    gain: float = 0.5

    def __post_init__(self) -> None:
        if not 0 < self.gain <= 1:
            raise ValueError(f"gain: expected a number in (0, 1], got {self.gain}")

    def update(self, mlp: MLP, parameters: Parameters, support: Support) -> Update:
        """Return each task's update; rows of weight 0 do not count."""
        error = support.y - support.forward(mlp, parameters, mlp.no_update).outputs
        error = spread(error, len(support.weight))
        counted = torch.where(support.weight > 0, error, torch.nan)
        median = counted.nanmedian(dim=1, keepdim=True).values.nan_to_num()
        return Update((*mlp.no_update.layers[:-1], LayerUpdate(bias=self.gain * median)))
