"""Gaussian heads of an ensemble: log variances of its outputs (Chua et al. 2018, appendix A.1).

A head is one more linear layer on a network's last hidden units. Its parameters are a group of
their own, `variance`: what adapts a network changes the means alone. Learned bounds keep the
variance from collapsing, or growing without end, where there are no data.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import softplus

from ros_mbmrl.networks.groups import VARIANCE
from ros_mbmrl.networks.mlp import Parameters

PENALTY = 0.01  # on the distance of the bounds, in the loss
LOWEST, HIGHEST = -10.0, 0.5  # the bounds to begin with, of normalised outputs


def new_head(hidden: int, outputs: int) -> Parameters:
    """Return a head that gives the same variance everywhere."""
    return {
        "w": torch.zeros(hidden, outputs),
        "b": torch.zeros(outputs),
        "low": torch.full((outputs,), LOWEST),
        "high": torch.full((outputs,), HIGHEST),
    }


def heads_of(parameters: Parameters, members: Sequence[int]) -> Parameters:
    """Return the heads of some members: w (E, hidden, outputs), all others (E, 1, outputs)."""
    each = [VARIANCE.part(parameters, f"member.{k}.") for k in members]
    stack = {name: torch.stack([own[name] for own in each]) for name in each[0]}
    return {name: v[:, None] if v.dim() == 2 else v for name, v in stack.items()}


def split_heads(heads: Parameters) -> Parameters:
    """Return what `heads_of` was made of, under the names of the members."""
    flat = {name: v if name == "w" else v[:, 0] for name, v in heads.items()}
    found = Parameters()
    for k in range(len(heads["w"])):
        found |= VARIANCE.named({name: v[k] for name, v in flat.items()}, f"member.{k}.")
    return found


def log_variances(heads: Parameters, h: Tensor) -> Tensor:
    """Return the log variances (E, R, outputs) for last hidden units h (E, R, hidden)."""
    raw = torch.baddbmm(heads["b"], h, heads["w"])
    raw = heads["high"] - softplus(heads["high"] - raw)
    return heads["low"] + softplus(raw - heads["low"])


def scaled(parameters: Parameters, scale: Tensor) -> Parameters:
    """Return an ensemble's parameters with every member's variances times `scale` (outputs,).

    The variance is as much larger everywhere: its bounds move with it.
    """
    moved = tuple(f"{VARIANCE.prefix}{name}" for name in ("b", "low", "high"))
    change = scale.log()
    return {k: v + change if k.endswith(moved) else v for k, v in parameters.items()}


def likelihood_loss(error: Tensor, log_variance: Tensor) -> Tensor:
    """Return twice the negative log-likelihood of errors, element by element, less a constant."""
    return error.square() * (-log_variance).exp() + log_variance


def bounds_penalty(heads: Parameters) -> Tensor:
    """Return the term of the loss, (), that draws each pair of bounds together."""
    return PENALTY * (heads["high"] - heads["low"]).sum()
