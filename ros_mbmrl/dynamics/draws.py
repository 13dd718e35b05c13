"""Roll-outs under draws of a latent variable: what a contextual model is not sure of, as members.

A plan follows the mean of the latent variable. A planner that minds risk asks for `uncertain`:
every candidate is then imagined under each of DRAWS values, as by the members of an ensemble.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Generator, Tensor

DRAWS = 8

Predict = Callable[[Tensor, Tensor], Tensor]


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
        drawn: makes the roll-out of DRAWS tasks, for each task one under each draw; None where
            nothing is known of the variable but its mean.
    """

    def __init__(self, mean: Predict, drawn: Callable[[], Predict] | None) -> None:
        self._mean, self._drawn = mean, drawn

    def __call__(self, state: Tensor, actions: Tensor) -> Tensor:
        """Roll out `actions` (..., K, H, da) from `state` by the mean."""
        return self._mean(state, actions)

    def uncertain(self) -> Predict:
        """Return the roll-out by draws, or by the mean where there are none."""
        return self._mean if self._drawn is None else Drawn(self._drawn())


class Drawn:
    """A roll-out of K candidates, candidate k by draw k mod DRAWS.

    It maps states (K, ds), actions (K, H, da) to (K, H+1, ds), or, of N tasks, (N, ds) and
    (N, K, H, da) to (N, K, H+1, ds).

    Args:
        roll: rolls out states (N DRAWS, R, ds) and actions (N DRAWS, R, H, da).
    """

    members = DRAWS

    def __init__(self, roll: Predict) -> None:
        self._roll = roll

    def __call__(self, state: Tensor, actions: Tensor) -> Tensor:
        """Roll out `actions`; see the class."""
        count = actions.shape[-3]
        if count % DRAWS:
            raise ValueError(f"expected a multiple of {DRAWS} candidates, got {count}")
        if state.dim() == actions.dim() - 2:  # one for all candidates of a task
            state = state[..., None, :].expand(*actions.shape[:-2], -1)
        found = self._roll(_by_draw(state, 1), _by_draw(actions, 2))
        found = found.view(-1, DRAWS, *found.shape[1:]).transpose(1, 2)
        return found.reshape(*actions.shape[:-2], *found.shape[-2:])


def _by_draw(rows: Tensor, tail: int) -> Tensor:
    """Return rows (R DRAWS, ...) of a task, (N, R DRAWS, ...) of N, as (N DRAWS, R, ...).

    tail: how many dimensions a row has.
    """
    own = rows.shape[-tail:]
    apart = rows.reshape(-1, rows.shape[-tail - 1] // DRAWS, DRAWS, *own)
    return apart.transpose(1, 2).flatten(0, 1)
