"""A policy of Gaussian basis functions, squashed: that of PILCO and deep PILCO (Gal et al. 2016).

Deisenroth, Fox and Rasmussen, "Gaussian Processes for Data-Efficient Learning in Robotics and
Control", section 3.5.2: a weighted sum of Gaussians of what is seen; section 3.2: a squashing
function that is a sine with a flat top, (9 sin u + sin 3u) / 8.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.policies.gaussian import GaussianPolicy

SMALL = 0.1  # deviation of the first weights


@dataclass(frozen=True)
class RadialPolicy(GaussianPolicy):
    """pi(a | o): a Gaussian around a squashed sum of basis functions; parameters are apart.

    `mlp` says inputs, basis functions and actions; its activation is not used. Parameters: `w0`
    (do, units), a centre a column, in normalised observations; `log_width` (do,), of all basis
    functions; `w1` (units, da); `log_std` (da,). Or the same of N tasks.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.mlp.layers != 2:
            raise ValueError(
                f"sizes: expected inputs, basis functions and actions, got {self.mlp.sizes}"
            )

    @classmethod
    def of(cls, inputs: int, units: int, actions: int) -> RadialPolicy:
        """Return a policy of so many basis functions; observations are taken as they are."""
        return cls(MLP((inputs, units, actions)), torch.zeros(inputs), torch.ones(inputs))

    def init(self, generator: Generator, log_std: float = -0.5) -> Parameters:
        """Draw centres as normalised observations vary; each function sees about all of them."""
        inputs, units, actions = self.mlp.sizes
        return {
            "log_std": torch.full((actions,), log_std),
            "w0": torch.randn(inputs, units, generator=generator),
            "log_width": torch.full((inputs,), 0.5 * math.log(inputs)),
            "w1": SMALL * torch.randn(units, actions, generator=generator),
        }

    def means(self, parameters: Parameters, observations: Tensor) -> Tensor:
        """Return the mean actions (..., B, da), from -1 to 1."""
        scale = (-parameters["log_width"]).exp()
        seen = self.normalised(observations) * scale.unsqueeze(-2)
        centres = parameters["w0"] * scale.unsqueeze(-1)
        crossed = torch.matmul(seen, centres)
        squares = seen.square().sum(-1, keepdim=True) + centres.square().sum(-2).unsqueeze(-2)
        basis = (crossed - 0.5 * squares).exp()  # exp(-|o - c|^2 / 2)
        raw = torch.matmul(basis, parameters["w1"])
        return (9 * raw.sin() + (3 * raw).sin()) / 8
