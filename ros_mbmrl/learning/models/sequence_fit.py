"""Fit of a meta-model to sequences, by maximum likelihood: Hiraoka et al., Algorithm 2, line 3.

Each head is fitted to transitions drawn for it alone (a bootstrap); the encoder of histories, which
they share, to those of all. Held-out transitions say when to stop.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from ros_mbmrl.dynamics.meta_model import MetaModel
from ros_mbmrl.networks.gaussian import bounds_penalty, likelihood_loss
from ros_mbmrl.networks.groups import VARIANCE
from ros_mbmrl.networks.mlp import Parameters


@dataclass(frozen=True)
class SequenceFit:
    """Settings of a fit.

    Args:
        steps: of the optimiser at most.
        rows: transitions a step for each head.
        learning_rate, weight_decay: of AdamW.
        held_out: share of the transitions that are not fitted to, at most `most_held`.
        every: steps between validations.
        patience: validations without improvement before a fit ends.
    """

    steps: int = 2000
    rows: int = 256
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    held_out: float = 0.2
    most_held: int = 2000
    every: int = 100
    patience: int = 3

    def __post_init__(self) -> None:
        counts = self.steps, self.rows, self.most_held, self.every, self.patience
        if min(counts) < 1:
            raise ValueError("fit: expected steps, rows, most_held, every, patience of 1 or more")
        if not (self.learning_rate > 0 and self.weight_decay >= 0):
            raise ValueError("fit: expected learning_rate above 0 and weight_decay of 0 or more")
        if not 0 < self.held_out < 1:
            raise ValueError(f"fit: expected held_out between 0 and 1, got {self.held_out}")


class Rows(NamedTuple):
    """Transitions (n, ...) with histories: what a meta-model is given, and what it shall predict.

    targets: see `MetaModel.targets`.
    """

    states: Tensor
    seen: Tensor
    actions: Tensor
    targets: Tensor


class Fitted(NamedTuple):
    """Parameters with the least held-out loss, that loss, and the steps until then."""

    parameters: Parameters
    loss: float
    steps: int


# rows(indices (n,)) -> those transitions
Gather = Callable[[Tensor], Rows]


def fit_sequences(
    model: MetaModel,
    start: Parameters,
    count: int,
    gather: Gather,
    config: SequenceFit,
    generator: Generator,
) -> Fitted:
    """Fit a meta-model to `count` transitions.

    Args:
        model: shape and normalisation.
        start: parameters to go on from.
        count: at least 2.
        gather: gives the transitions of indices below `count`.
        config: settings.
        generator: of what is held out, and of the batches.
    """
    if count < 2:
        raise ValueError(f"fit: expected 2 transitions or more, got {count}")
    order = torch.randperm(count, generator=generator)
    held = max(1, min(int(config.held_out * count), config.most_held, count - 1))
    judged, training = gather(order[:held]), order[held:]
    own = {name: value.detach().clone().requires_grad_() for name, value in start.items()}
    adam = torch.optim.AdamW(
        own.values(), lr=config.learning_rate, weight_decay=config.weight_decay
    )
    best, bad = Fitted(start, _judged(model, start, judged), 0), 0
    for step in range(1, config.steps + 1):
        shape = model.network.members, config.rows
        chosen = training[torch.randint(len(training), shape, generator=generator)]
        flat = gather(chosen.flatten())
        rows = Rows(*(part.view(*shape, -1) for part in flat))
        adam.zero_grad()
        torch.autograd.backward(_loss(model, own, rows))
        adam.step()
        if step % config.every and step < config.steps:
            continue
        found = _judged(model, own, judged)
        if found < best.loss:
            best, bad = Fitted(copy.deepcopy(_still(own)), found, step), 0
        else:
            bad += 1
        if bad >= config.patience:
            break
    return best


def _loss(model: MetaModel, parameters: Parameters, rows: Rows) -> Tensor:
    """Return the loss of all heads, each on rows of its own (B, n, ...)."""
    mean, log_variance = model.moments(parameters, rows.states, rows.seen, rows.actions)
    each = likelihood_loss(rows.targets - mean, log_variance).mean(dim=(1, 2))
    return each.sum() + bounds_penalty(VARIANCE.part(parameters))


@torch.no_grad()
def _judged(model: MetaModel, parameters: Parameters, rows: Rows) -> float:
    """Return the heads' mean loss on the same rows (n, ...)."""
    mean, log_variance = model.moments(parameters, rows.states, rows.seen, rows.actions)
    return float(likelihood_loss(rows.targets - mean, log_variance).mean())


def _still(parameters: Parameters) -> Parameters:
    return {name: value.detach() for name, value in parameters.items()}
