"""Critics: two networks Q(o, a), of which the smaller answer counts (Fujimoto et al. 2018)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from ros_mbmrl.networks.mlp import MLP, Parameters

COUNT = 2


@dataclass(frozen=True)
class TwinCritics:
    """Q_1 and Q_2 as pure functions of parameters (2, ...), in one batched product.

    Args:
        mlp: observation and action, (do + da), to one number.
    """

    mlp: MLP

    def __post_init__(self) -> None:
        if self.mlp.sizes[-1] != 1:
            raise ValueError(f"critic: expected one output, got {self.mlp.sizes}")

    def init(self, generator: Generator) -> Parameters:
        """Draw each critic's parameters for itself."""
        each = [self.mlp.init(generator) for _ in range(COUNT)]
        return {name: torch.stack([one[name] for one in each]) for name in each[0]}

    def both(self, parameters: Parameters, observations: Tensor, actions: Tensor) -> Tensor:
        """Return the answers (2, B) for observations (B, do), or each critic's, actions (B, da)."""
        seen = observations.expand(COUNT, -1, -1)
        h = torch.cat([seen, actions.expand(COUNT, -1, -1)], dim=-1)
        for k in range(self.mlp.layers):
            h = torch.baddbmm(parameters[f"b{k}"].unsqueeze(1), h, parameters[f"w{k}"])
            if k < self.mlp.layers - 1:
                h = self.mlp.act(h)
        return h.squeeze(-1)

    def least(self, parameters: Parameters, observations: Tensor, actions: Tensor) -> Tensor:
        """Return the smaller answer (B,)."""
        return self.both(parameters, observations, actions).amin(dim=0)
