"""Leaky context: a code of the window whose every component has a memory of its own length.

Each transition is encoded as [x, y, y - f(x)], f being the frozen supervised model that training
started from, and a component of the code is a weighted mean of these encodings,

    z = sum_i a^age_i e_i / (k + sum_i a^age_i),

with a learned forgetting factor a in (0, 1) and a learned weight k of the prior, 0. Long memories
average what lasts (a lost leg, the ground), short ones filter what the last step left behind; a
window of few rows says little. In a roll-out the code fades by a learned factor a step: what is
short-lived ends with the first. Where a -> 1 and k -> 0 this is the mean-pooled context.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from ros_mbmrl.adaptation.base import Support, UpdateRule
from ros_mbmrl.adaptation.gradient import GradientStep
from ros_mbmrl.dynamics.mlp import MLP, Parameters, Update
from ros_mbmrl.dynamics.recurrent import condition

MEMORIES = 0.7, 64.0  # shortest and longest time constant at the start of training [steps]
PRIOR_WEIGHT = 1.0  # of the prior at the start of training [transitions]


@dataclass(frozen=True)
class LeakyContext(UpdateRule):
    """hidden: width of the encoder. size: length of the code. limit: of normalised changes."""

    hidden: int = 64
    size: int = 32
    limit: float = 5.0
    meta_trained: bool = True

    def __post_init__(self) -> None:
        if min(self.hidden, self.size) < 1:
            raise ValueError("hidden, size: expected positive numbers")

    def _encoder(self, mlp: MLP) -> MLP:
        inputs = mlp.sizes[0] + 2 * mlp.sizes[-1]
        return MLP((inputs, self.hidden, self.hidden, self.size), mlp.activation)

    def init(self, mlp: MLP, parameters: Parameters, generator: Generator) -> Parameters:
        """Encoder, memory, the maps from code to biases (zero at first), and the frozen model."""
        encoder = self._encoder(mlp).init(generator)
        own = {f"encoder.{name}": value for name, value in encoder.items()}
        shortest, longest = (math.log(end) for end in MEMORIES)
        decay = torch.exp(-1 / torch.linspace(shortest, longest, self.size).exp())
        own["memory.forgetting"] = torch.logit(decay)
        own["memory.persistence"] = torch.logit(decay)
        own["memory.prior"] = torch.full((self.size,), math.log(PRIOR_WEIGHT))
        for k, width in enumerate(mlp.sizes[1:]):
            own[f"condition.b{k}"] = torch.zeros(self.size, width)
        for k in range(mlp.layers):
            for name in (f"w{k}", f"b{k}"):
                own[f"frozen.{name}"] = parameters[name].clone()
        return own

    def code(self, mlp: MLP, parameters: Parameters, support: Support) -> Tensor:
        """The code of each task's window, (N, size); zero for an empty one."""

        def part(prefix: str) -> Parameters:
            return {
                name.removeprefix(prefix): value
                for name, value in parameters.items()
                if name.startswith(prefix)
            }

        y = support.y.clamp(-self.limit, self.limit)
        residual = y - mlp.forward(part("frozen."), support.x).detach()
        transitions = torch.cat([support.x, y, residual], dim=-1)
        encoded = self._encoder(mlp).forward(part("encoder."), transitions)
        age = torch.arange(support.x.shape[1] - 1, -1, -1, dtype=encoded.dtype)
        faded = torch.nn.functional.logsigmoid(parameters["memory.forgetting"])
        weight = support.weight * torch.exp(age[:, None] * faded)  # (N, T1, size)
        total = parameters["memory.prior"].exp() + weight.sum(dim=1)
        return (weight * encoded).sum(dim=1) / total

    def update(self, mlp: MLP, parameters: Parameters, support: Support) -> Update:
        """Shifts every bias by a linear map of the code, which fades as a roll-out goes on."""
        return condition(parameters, self.code(mlp, parameters, support))


@dataclass(frozen=True)
class LeakyContextStep(UpdateRule):
    """The leaky context, then plain gradient steps on the conditioned network.

    hidden, size: see `LeakyContext`. steps, step, bias_step: see `GradientStep`. Trained without
    the steps: meta-training through them makes the step timid.
    """

    hidden: int = 64
    size: int = 32
    steps: int = 1
    step: float = 0.01
    bias_step: float = 0.1
    meta_trained: bool = True

    def __post_init__(self) -> None:
        self._parts()  # refuse what either would

    def _parts(self) -> tuple[LeakyContext, GradientStep]:
        return LeakyContext(self.hidden, self.size), GradientStep(
            self.steps, self.step, self.bias_step
        )

    @property
    def training_rule(self) -> LeakyContext:
        """The encoder alone."""
        return self._parts()[0]

    def init(self, mlp: MLP, parameters: Parameters, generator: Generator) -> Parameters:
        """The encoder's parameters."""
        return self.training_rule.init(mlp, parameters, generator)

    def update(self, mlp: MLP, parameters: Parameters, support: Support) -> Update:
        """The context's update, then gradient steps from there."""
        context, descent = self._parts()
        return descent.descend(mlp, parameters, support, context.update(mlp, parameters, support))
