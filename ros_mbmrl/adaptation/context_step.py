"""Context and step: a plain gradient step on top of the conditioned network.

The encoder recognises what it was trained on; the step goes on from there to what it was not.
Meta-training through the step makes it timid, so the model is trained as for `Context`.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Generator

from ros_mbmrl.adaptation.base import Support, UpdateRule
from ros_mbmrl.adaptation.context import Context
from ros_mbmrl.adaptation.gradient import GradientStep
from ros_mbmrl.dynamics.mlp import MLP, Parameters, Update


@dataclass(frozen=True)
class ContextStep(UpdateRule):
    """hidden, size: of the encoder (`Context`). steps, step, bias_step: see `GradientStep`."""

    hidden: int = 64
    size: int = 16
    steps: int = 1
    step: float = 0.01
    bias_step: float = 0.1
    meta_trained: bool = True

    def __post_init__(self) -> None:
        self._parts()  # refuse what either would

    def _parts(self) -> tuple[Context, GradientStep]:
        descent = GradientStep(self.steps, self.step, self.bias_step)
        return Context(self.hidden, self.size), descent

    @property
    def training_rule(self) -> Context:
        """The encoder alone."""
        return self._parts()[0]

    def init(self, mlp: MLP, parameters: Parameters, generator: Generator) -> Parameters:
        """The encoder's parameters."""
        return self.training_rule.init(mlp, parameters, generator)

    def update(self, mlp: MLP, parameters: Parameters, support: Support) -> Update:
        """The encoder's update, then gradient steps from there."""
        context, descent = self._parts()
        conditioned = context.update(mlp, parameters, support)
        return descent.descend(mlp, parameters, support, conditioned)
