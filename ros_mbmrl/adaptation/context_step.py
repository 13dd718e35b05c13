"""Context and step: plain gradient steps on top of a conditioned network.

The encoder identifies conditions it was trained on; the steps adapt to those it was not.
Meta-training through the steps would make the encoder too cautious, so the model is trained with
the encoder alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Generator

from ros_mbmrl.adaptation.base import Support, UpdateRule
from ros_mbmrl.adaptation.bayes_context import BayesContext
from ros_mbmrl.adaptation.context import Context
from ros_mbmrl.adaptation.gradient import GradientStep
from ros_mbmrl.adaptation.leaky_context import LeakyContext
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.networks.updates import Update

ContextRule = Context | BayesContext | LeakyContext


@dataclass(frozen=True)
class ContextStep(UpdateRule):
    """An encoder's update followed by gradient steps.

    Args:
        hidden, size: of the encoder (`Context`).
        steps, step, bias_step: see `GradientStep`.
    """

    hidden: int = 64
    size: int = 16
    steps: int = 1
    step: float = 0.01
    bias_step: float = 0.1
    meta_trained: bool = True
    context: ClassVar[type[ContextRule]] = Context

    def __post_init__(self) -> None:
        self._parts()  # either part refuses its wrong options

    def _parts(self) -> tuple[ContextRule, GradientStep]:
        descent = GradientStep(self.steps, self.step, self.bias_step)
        return self.context(self.hidden, self.size), descent

    @property
    def training_rule(self) -> ContextRule:
        """Return the encoder alone."""
        return self._parts()[0]

    def init(self, mlp: MLP, parameters: Parameters, generator: Generator) -> Parameters:
        """Return the encoder's parameters."""
        return self.training_rule.init(mlp, parameters, generator)

    def update(self, mlp: MLP, parameters: Parameters, support: Support) -> Update:
        """Return the encoder's update followed by gradient steps."""
        context, descent = self._parts()
        conditioned = context.update(mlp, parameters, support)
        return descent.descend(mlp, parameters, support, conditioned)


@dataclass(frozen=True)
class BayesContextStep(ContextStep):
    """`ContextStep` on the Bayesian context."""

    context: ClassVar[type[ContextRule]] = BayesContext


@dataclass(frozen=True)
class LeakyContextStep(ContextStep):
    """`ContextStep` on the leaky context."""

    size: int = 32
    context: ClassVar[type[ContextRule]] = LeakyContext
