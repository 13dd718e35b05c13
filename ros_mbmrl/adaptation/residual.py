"""Mean residual: shift the prediction by a share of the window's mean error, as a baseline."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ros_mbmrl.adaptation.base import Support, UpdateRule
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.networks.tasks import spread
from ros_mbmrl.networks.updates import LayerUpdate, Update


@dataclass(frozen=True)
class MeanResidual(UpdateRule):
    """An update of the last layer's bias by the mean residual.

    Args:
        gain: share of the mean residual that is added to every prediction.
        limit: normalised residuals are clipped at +-limit (a robust mean).
        forgetting: weight of a row, as a share of the next newer one's; 1: all count the same.
    """

    gain: float = 0.5
    limit: float = 3.0
    forgetting: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.gain <= 1:
            raise ValueError(f"gain: expected a number in (0, 1], got {self.gain}")
        if not 0 < self.forgetting <= 1:
            raise ValueError(f"forgetting: expected in (0, 1], got {self.forgetting}")

    def update(self, mlp: MLP, parameters: Parameters, support: Support) -> Update:
        """Return a shift of the last layer's bias."""
        predicted = support.forward(mlp, parameters, mlp.no_update).outputs
        residual = (support.y - predicted).clamp(-self.limit, self.limit)
        residual = spread(residual, len(support.weight))
        mean = (residual * self._share(support)).sum(dim=1, keepdim=True)
        return Update((*mlp.no_update.layers[:-1], LayerUpdate(bias=self.gain * mean)))

    def _share(self, support: Support) -> Tensor:
        """Return weights (N, T1, 1) that sum to one and fade with age."""
        if self.forgetting == 1:
            return support.share
        weight = support.weight
        age = torch.arange(weight.shape[1] - 1, -1, -1).to(weight)[:, None]
        faded = weight * self.forgetting**age
        return faded / faded.sum(dim=1, keepdim=True).clamp_min(1e-8)
