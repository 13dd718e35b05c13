"""UpdateRule: u_psi of the thesis (eq. 22), a pure function from prior and window to an update."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import Generator, Tensor

from ros_mbmrl.networks.mlp import MLP, Parameters, Pass, Update

if TYPE_CHECKING:
    from ros_mbmrl.adaptation.gradient import GradientStep


@dataclass(frozen=True)
class Window:
    """The newest transitions, oldest first: n <= T1 of them, raw, in SI units.

    features: (n, df). actions: (n, da). changes: (n, dc).
    """

    features: Tensor
    actions: Tensor
    changes: Tensor

    def __len__(self) -> int:
        return len(self.actions)


@dataclass(frozen=True)
class Support:
    """What an update rule sees: normalised transitions of N tasks.

    x: (N, T1, inputs). y: (N, T1, outputs). weight: (N, T1, 1), 0 where a row is not to count.
    Tasks that differ in their weights alone share rows: x and y are then (M, T1, ...), M divides
    N, and every M-th has the same (`spread`); what a rule makes of the rows it makes once. scale:
    (outputs,), weights of the outputs in the loss, with mean 1. prior: the prior's pass over x,
    where it is known already.
    """

    x: Tensor
    y: Tensor
    weight: Tensor
    scale: Tensor
    prior: Pass | None = None

    @cached_property
    def share(self) -> Tensor:
        """Weights that sum to one over each task's transitions; all zero for an empty task."""
        return self.weight / self.weight.sum(dim=1, keepdim=True).clamp_min(1e-8)

    def tasks(self, which: slice) -> Support:
        """Some of the tasks."""
        return Support(self.x[which], self.y[which], self.weight[which], self.scale)

    def forward(self, mlp: MLP, parameters: Parameters, update: Update) -> Pass:
        """The updated model's pass over x."""
        if self.prior is not None and update.changes_nothing:
            return self.prior
        return mlp.forward_updated(parameters, update, self.x)


class UpdateRule(ABC):
    """How a window changes the model. Pure, differentiable, batched over tasks."""

    meta_trained: bool = False  # whether its own parameters are learned through eq. 22
    adapts: ClassVar[bool] = True  # False: there is nothing to judge, either

    def init(self, mlp: MLP, parameters: Parameters, generator: Generator) -> Parameters:
        """The rule's own parameters psi, by name; `parameters` is the prior to start from."""
        return {}

    @property
    def training_rule(self) -> UpdateRule:
        """The rule that the model is meta-trained with: this one, unless it adds to another."""
        return self

    @property
    def descent(self) -> GradientStep | None:
        """Return the gradient steps that the rule consists of, for the gradient of eq. 22 by hand.

        None: autograd goes through the rule.
        """
        return None

    @abstractmethod
    def update(self, mlp: MLP, parameters: Parameters, support: Support) -> Update:
        """The update of each task. A task without a single weighted row gets none."""


@dataclass(frozen=True)
class AdaptReport:
    """What adaptation did, for diagnostics.

    error_before, error_after: robust normalised error on the window's transitions, of the prior
    and of models adapted without having seen them. change: relative norm of the update.
    """

    transitions: int
    error_before: float
    error_after: float
    change: float
    accepted: bool
    reason: str


@dataclass(frozen=True)
class Adapted:
    """A model after adaptation, and how that went.

    hidden: (1, size), the memory of a recurrent model that goes with the parameters, or None.
    """

    parameters: Parameters
    report: AdaptReport
    hidden: Tensor | None = None


def robust_error(residual: Tensor, scale: Tensor, limit: float = 4.0) -> Tensor:
    """Mean squared residual (..., outputs) -> (...), each within +-limit: no row decides alone."""
    return (residual.clamp(-limit, limit).square() * scale).mean(dim=-1)


def wild_rows(x: Tensor, y: Tensor, limit: float = 10.0) -> Tensor:
    """Which rows no sensor can mean: (..., 1), 1 to keep and 0 to leave out."""
    peak = torch.maximum(x.abs().amax(dim=-1), y.abs().amax(dim=-1))
    return (peak < limit).to(x.dtype)[..., None]  # NaN is below nothing
