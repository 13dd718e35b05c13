"""Bayesian context: every transition is evidence of a latent code, weighed by its own precision.

Bayesian aggregation (Volpp et al., Bayesian Context Aggregation for Neural Processes, 2021, eq. 6
to 8) in place of the mean: the code knows how much it has seen, starts from the prior and tightens
with every transition, and a transition that says little, or is wild, counts little.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from ros_mbmrl.adaptation.base import Support, UpdateRule
from ros_mbmrl.adaptation.gradient import GradientStep
from ros_mbmrl.dynamics.mlp import MLP, LayerUpdate, Parameters, Update

START_VARIANCE = 16.0  # of one transition's evidence, where the prior's is 1


@dataclass(frozen=True)
class BayesContext(UpdateRule):
    """hidden: width of the encoder. size: length of the code z. limit: of normalised errors."""

    hidden: int = 64
    size: int = 16
    limit: float = 5.0
    meta_trained: bool = True

    def __post_init__(self) -> None:
        if min(self.hidden, self.size) < 1:
            raise ValueError("hidden, size: expected positive numbers")

    def _encoder(self, mlp: MLP) -> MLP:
        inputs = mlp.sizes[0] + 2 * mlp.sizes[-1]
        return MLP((inputs, self.hidden, self.hidden, 2 * self.size), mlp.activation)

    def init(self, mlp: MLP, parameters: Parameters, generator: Generator) -> Parameters:
        """The encoder, the maps from code to biases (zero at first), and the frozen model."""
        encoder = self._encoder(mlp).init(generator)
        own = {f"encoder.{name}": value for name, value in encoder.items()}
        last = f"encoder.b{self._encoder(mlp).layers - 1}"
        own[last][self.size :] = torch.log(torch.tensor(START_VARIANCE))
        for k, width in enumerate(mlp.sizes[1:]):
            own[f"condition.b{k}"] = torch.zeros(self.size, width)
        for k in range(mlp.layers):
            for name in (f"w{k}", f"b{k}"):
                own[f"frozen.{name}"] = parameters[name].clone()
        return own

    def code(self, mlp: MLP, parameters: Parameters, support: Support) -> Tensor:
        """Posterior mean of the code, (N, 1, size), from a standard normal prior."""

        def part(prefix: str) -> Parameters:
            return {
                name.removeprefix(prefix): value
                for name, value in parameters.items()
                if name.startswith(prefix)
            }

        y = support.y.clamp(-self.limit, self.limit)
        residual = y - mlp.forward(part("frozen."), support.x).detach()
        transitions = torch.cat([support.x, y, residual], dim=-1)
        evidence, log_variance = (
            self._encoder(mlp).forward(part("encoder."), transitions).chunk(2, dim=-1)
        )
        precision = support.weight * torch.exp(-log_variance.clamp(-6.0, 6.0))
        total = 1.0 + precision.sum(dim=1, keepdim=True)  # eq. 7: precisions add up
        return (precision * evidence).sum(dim=1, keepdim=True) / total  # eq. 8

    def update(self, mlp: MLP, parameters: Parameters, support: Support) -> Update:
        """Shifts every bias by a linear map of the code; an empty window shifts none."""
        code = self.code(mlp, parameters, support)
        return Update(
            tuple(LayerUpdate(bias=code @ parameters[f"condition.b{k}"]) for k in range(mlp.layers))
        )


@dataclass(frozen=True)
class BayesContextStep(UpdateRule):
    """The Bayesian context, then plain gradient steps on the conditioned network.

    hidden, size: see `BayesContext`. steps, step, bias_step: see `GradientStep`. Trained without
    the steps: meta-training through them makes the step timid.
    """

    hidden: int = 64
    size: int = 16
    steps: int = 1
    step: float = 0.01
    bias_step: float = 0.1
    meta_trained: bool = True

    def __post_init__(self) -> None:
        self._parts()  # refuse what either would

    def _parts(self) -> tuple[BayesContext, GradientStep]:
        descent = GradientStep(self.steps, self.step, self.bias_step)
        return BayesContext(self.hidden, self.size), descent

    @property
    def training_rule(self) -> BayesContext:
        """The encoder alone."""
        return self._parts()[0]

    def init(self, mlp: MLP, parameters: Parameters, generator: Generator) -> Parameters:
        """The encoder's parameters."""
        return self.training_rule.init(mlp, parameters, generator)

    def update(self, mlp: MLP, parameters: Parameters, support: Support) -> Update:
        """The context's update, then gradient steps from there."""
        context, descent = self._parts()
        return descent.descend(mlp, parameters, support, context.update(mlp, parameters, support))
