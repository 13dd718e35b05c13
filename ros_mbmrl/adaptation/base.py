"""UpdateRule: u_psi of the thesis (eq. 22), a pure function from prior and window to an update."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import Generator, Tensor

from ros_mbmrl.adaptation.diagnosis import Beliefs
from ros_mbmrl.networks.mlp import MLP, Parameters, Pass
from ros_mbmrl.networks.updates import Update

if TYPE_CHECKING:
    from ros_mbmrl.adaptation.gradient import GradientStep
    from ros_mbmrl.dynamics.model import DynamicsModel
    from ros_mbmrl.robots.spec import RobotSpec


@dataclass(frozen=True)
class Window:
    """The newest transitions, oldest first: n <= T1 of them, raw, in SI units.

    Args:
        features: (n, df).
        actions: (n, da).
        changes: (n, dc).
    """

    features: Tensor
    actions: Tensor
    changes: Tensor

    def __len__(self) -> int:
        return len(self.actions)


@dataclass(frozen=True)
class Support:
    """Normalised transitions of N tasks, as an update rule sees them.

    Tasks with the same rows and different weights share one forward pass: x and y are then (M, T1,
    ...), M divides N, and task n has the rows n mod M (`spread`).

    Args:
        x: inputs (N, T1, inputs).
        y: outputs (N, T1, outputs).
        weight: (N, T1, 1), 0 for a row that does not count.
        scale: weights of the outputs in the loss (outputs,), with mean 1.
        prior: the prior's pass over x, if it is already known.
        members: the same of each member, if the prior is an ensemble.
    """

    x: Tensor
    y: Tensor
    weight: Tensor
    scale: Tensor
    prior: Pass | None = None
    members: tuple[Pass, ...] = ()

    @cached_property
    def share(self) -> Tensor:
        """Return weights that sum to one over each task's transitions; zero for an empty task."""
        return self.weight / self.weight.sum(dim=1, keepdim=True).clamp_min(1e-8)

    def tasks(self, which: slice) -> Support:
        """Return some of the tasks."""
        return Support(self.x[which], self.y[which], self.weight[which], self.scale)

    def forward(self, mlp: MLP, parameters: Parameters, update: Update) -> Pass:
        """Return the updated model's pass over x."""
        if self.prior is not None and update.changes_nothing:
            return self.prior
        return mlp.forward_updated(parameters, update, self.x)


class UpdateRule(ABC):
    """A rule by which a window changes the model: pure, differentiable, batched over tasks."""

    meta_trained: bool = False  # whether its own parameters are learned through eq. 22
    adapts: ClassVar[bool] = True  # False: there is no update for the guard to judge
    inputs_only: ClassVar[bool] = False  # no layer is changed: an ensemble is adapted as one
    labelled: ClassVar[bool] = False  # whether its model is trained on commands as they acted

    def init(self, mlp: MLP, parameters: Parameters, generator: Generator) -> Parameters:
        """Return the rule's own parameters psi, by name; `parameters` is the prior."""
        return {}

    @property
    def training_rule(self) -> UpdateRule:
        """Return the rule for meta-training: this one, unless it adds to another."""
        return self

    @property
    def descent(self) -> GradientStep | None:
        """Return the gradient steps that the rule consists of, for the gradient of eq. 22 by hand.

        None: autograd goes through the rule.
        """
        return None

    def calibrated(
        self, model: DynamicsModel, parameters: Parameters, x: Tensor, y: Tensor
    ) -> Parameters:
        """Return the parameters with what the rule takes from a model that has been fitted.

        Args:
            model: on the CPU.
            parameters: of the network and of the rule.
            x, y: normalised inputs (M, inputs) and changes (M, outputs) of held-out rows.
        """
        return parameters

    def beliefs(self, spec: RobotSpec, update: Update) -> Sequence[Beliefs]:
        """Return the probabilities of causes that each task's update was made for.

        Returns:
            One for each of the N tasks; none of a rule that infers no causes.
        """
        return ()

    @abstractmethod
    def update(self, mlp: MLP, parameters: Parameters, support: Support) -> Update:
        """Return the update of each task; none for a task without a weighted row."""


@dataclass(frozen=True)
class AdaptReport:
    """Report of an adaptation, for diagnostics.

    Args:
        transitions: rows that counted.
        error_before, error_after: robust normalised error on the window's transitions, of the prior
            and of models adapted without these transitions.
        change: norm of the update relative to the prior's.
        accepted, reason: whether the update is used, and why or why not.
        cause, probability, since: the diagnosis, of a rule that infers causes; see `Teller`.
    """

    transitions: int
    error_before: float
    error_after: float
    change: float
    accepted: bool
    reason: str
    cause: str = ""
    probability: float = 0.0
    since: float = math.nan


@dataclass(frozen=True)
class Adapted:
    """A model after adaptation, with its report.

    hidden: (1, size), the memory of a recurrent model that belongs to the parameters, or None;
    of an ensemble (E, size), a memory for each member. beliefs: probabilities of causes, of a rule
    that infers them, whether the guard accepts the update or not. spread: (J, outputs of the first
    layer), see `Update.spread`, of a rule whose update is the mean of a Gaussian; or None.
    """

    parameters: Parameters
    report: AdaptReport
    hidden: Tensor | None = None
    beliefs: Beliefs = field(default_factory=lambda: MappingProxyType({}))
    spread: Tensor | None = None


def robust_error(residual: Tensor, scale: Tensor, limit: float = 4.0) -> Tensor:
    """Return the mean squared residual (..., outputs) -> (...), clipped at +-limit."""
    return (residual.clamp(-limit, limit).square() * scale).mean(dim=-1)


def plausible_rows(x: Tensor, y: Tensor, limit: float = 10.0) -> Tensor:
    """Return a mask of plausible rows (..., 1): 1 keeps, 0 drops."""
    peak = torch.maximum(x.abs().amax(dim=-1), y.abs().amax(dim=-1))
    return (peak < limit).to(x.dtype)[..., None]  # false for NaN, too
