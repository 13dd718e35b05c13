"""Causes: adaptation in the space of physical causes, by a Bayesian filter over hypotheses.

A fault is a small number of physical quantities. The model is trained on commands times the
effectiveness of their actuators, which is known in simulation; at run time the effectiveness is
inferred. There is a bank of hypotheses (all is well, a group of actuators is weak or dead), and a
prior probability that the cause changes in a period. The posterior is that of a hidden Markov model
(Rabiner 1989, forward recursion), and the model acts under its most probable hypothesis.

No weight is changed: under a hypothesis the inputs of the network are scaled and shifted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from torch import Generator, Tensor

from ros_mbmrl.adaptation.bank import Acting, Bank
from ros_mbmrl.adaptation.base import Support, UpdateRule
from ros_mbmrl.adaptation.diagnosis import Beliefs
from ros_mbmrl.adaptation.error_distribution import ErrorDistribution
from ros_mbmrl.errors import UserError
from ros_mbmrl.networks.groups import CAUSES, network_of
from ros_mbmrl.networks.mlp import MLP, InputUpdate, Parameters, Update, spread
from ros_mbmrl.robots.spec import RobotSpec

if TYPE_CHECKING:
    from ros_mbmrl.dynamics.model import DynamicsModel


class CauseFilter(UpdateRule):
    """Rule that infers which hypothesis of a bank explains the window.

    Args:
        change: prior probability that the cause becomes another one within a period.
        well: prior probability of the first hypothesis; the others share the rest.
    """

    inputs_only = True
    labelled = True

    def __init__(self, change: float = 0.01, well: float = 0.5) -> None:
        for name, value in (("change", change), ("well", well)):
            if not 0 < value < 1:
                raise ValueError(f"{name}: expected a probability between 0 and 1, got {value}")
        self._change, self._well = change, well

    def init(self, mlp: MLP, parameters: Parameters, generator: Generator) -> Parameters:
        """Return a bank in which all is well, as large as that of `parameters` if they have one.

        A fit makes the bank, see `Bank.parameters`.
        """
        size, values = mlp.sizes[-1], CAUSES.part(parameters).get("values", torch.ones(0, 0))
        each = torch.ones(values.shape[1])
        own = {"values": torch.ones(values.shape), "low": each, "high": each, "gain": each}
        errors = ErrorDistribution(torch.eye(size), torch.ones(1))
        return CAUSES.named({**own, "factor": each, **errors.tensors})

    def calibrated(
        self, model: DynamicsModel, parameters: Parameters, x: Tensor, y: Tensor
    ) -> Parameters:
        """Return the network's parameters with a bank, and the distribution of the rows' errors."""
        with torch.inference_mode():
            errors = model.mlp.forward(parameters, x) - y
        bank = Bank.of(model.robot.spec).parameters(model.normalizer)
        distribution = CAUSES.named(ErrorDistribution.fit(errors).tensors)
        return {**network_of(parameters), **bank, **distribution}

    def update(self, mlp: MLP, parameters: Parameters, support: Support) -> Update:
        """Return the inputs' update under the most probable hypothesis of each task."""
        bank, belief = CAUSES.part(parameters), self.posterior(mlp, parameters, support)
        values = bank["values"][belief.argmax(-1)]
        inputs = replace(Acting.stored(bank)(values, mlp.sizes[0]), belief=belief)
        return Update(mlp.no_update.layers, inputs=inputs)

    def beliefs(self, spec: RobotSpec, update: Update) -> Sequence[Beliefs]:
        """See `UpdateRule.beliefs`."""
        if update.inputs is None or update.inputs.belief is None:
            return ()
        names, rows = Bank.of(spec).names, update.inputs.belief.tolist()
        if len(names) != len(rows[0]):
            raise UserError(
                f"the model's bank has {len(rows[0])} hypotheses, expected {len(names)} of "
                f"{spec.name}: train it again"
            )
        return [dict(zip(names, row, strict=True)) for row in rows]

    def posterior(self, mlp: MLP, parameters: Parameters, support: Support) -> Tensor:
        """Return the probability of each hypothesis at the end of each window, (N, J)."""
        evidence = self._evidence(mlp, parameters, support)
        evidence = evidence - evidence.amax(dim=-1, keepdim=True)
        prior = self._prior(evidence)
        belief = prior.expand(evidence.shape[0], -1)
        for likelihood in evidence.exp().unbind(dim=1):
            ahead = torch.lerp(belief, prior.expand_as(belief), self._change)
            belief = ahead * likelihood
            belief = belief / belief.sum(dim=-1, keepdim=True).clamp_min(1e-30)
        return belief

    def _prior(self, evidence: Tensor) -> Tensor:
        """Return the prior probability (J,) of each hypothesis, for evidence (..., J)."""
        count = evidence.shape[-1]
        prior = evidence.new_full((count,), (1 - self._well) / max(1, count - 1))
        prior[0] = self._well
        return prior

    def _evidence(self, mlp: MLP, parameters: Parameters, support: Support) -> Tensor:
        """Return the logarithmic likelihoods of each row under each hypothesis, (N, T1, J)."""
        bank, rows = CAUSES.part(parameters), len(support.x)
        each = Acting.stored(bank)(bank["values"], mlp.sizes[0])
        # All hypotheses in one pass, each of them over the rows of every task.
        spaced = InputUpdate(*(p.repeat_interleave(rows, dim=0) for p in (each.scale, each.shift)))
        update = Update(mlp.no_update.layers, inputs=spaced)
        outputs = mlp.forward_updated(parameters, update, support.x).outputs
        errors = outputs.reshape(-1, *support.y.shape) - support.y
        found = ErrorDistribution.of(bank).log_likelihood(errors)
        return spread(found.movedim(0, -1), len(support.weight)) * support.weight
