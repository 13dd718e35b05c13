"""Roll-outs under draws of a latent variable: what a contextual model is not sure of, as members.

A plan follows the mean of the latent variable. A planner that minds risk asks for `uncertain`:
every candidate is then imagined under each of DRAWS values, as by the members of an ensemble.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Generator, Tensor

from ros_mbmrl.dynamics.ensemble import MemberRollouts, Predict

DRAWS = 8


def draws(size: int) -> Tensor:
    """Return DRAWS standard normal numbers of a latent variable of this size, (DRAWS, size).

    They are the same always, so that plans replay, and come in pairs of opposites.
    """
    half = torch.randn(DRAWS // 2, size, generator=Generator().manual_seed(0))
    return torch.cat([half, -half])


class Uncertain:
    """A roll-out by the mean of a latent variable, or by draws of it.

    Args:
        mean: the roll-out by the mean.
        spread: (..., J, outputs), how far the variable is known, see `Update.spread`; None where
            nothing is known of it but its mean.
        under: returns the roll-out under a value (J,) of the variable, in deviations.
    """

    def __init__(
        self, mean: Predict, spread: Tensor | None, under: Callable[[Tensor], Predict]
    ) -> None:
        self._mean, self._spread, self._under = mean, spread, under

    def __call__(self, state: Tensor, actions: Tensor) -> Tensor:
        """Roll out `actions` (..., K, H, da) from `state` by the mean."""
        return self._mean(state, actions)

    def uncertain(self) -> Predict:
        """Return the roll-out by draws, or by the mean where there are none."""
        if self._spread is None:
            return self._mean
        each = draws(self._spread.shape[-2]).to(self._spread)
        return MemberRollouts([self._under(value) for value in each], remembers=False)
