"""Causes: adaptation in the space of physical causes, by a Bayesian filter over hypotheses.

A fault is a small number of physical quantities. The model is trained on commands times the
effectiveness of their actuators, which is known in simulation; at run time the effectiveness is
inferred. There is a bank of hypotheses (all is well, actuator k is weak, actuator k is dead), and a
prior probability that the cause changes in a period. The posterior is that of a hidden Markov model
(Rabiner 1989, forward recursion), and the model acts under its most probable hypothesis.

No weight is changed: under a hypothesis the inputs of the network are scaled and shifted.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Generator, Tensor

from ros_mbmrl.adaptation.base import Diagnosis, Support, UpdateRule
from ros_mbmrl.dynamics.normalizer import Normalizer
from ros_mbmrl.networks.groups import CAUSES, fitted_of
from ros_mbmrl.networks.mlp import MLP, InputUpdate, Parameters, Update, spread
from ros_mbmrl.robots.spec import RobotSpec

if TYPE_CHECKING:
    from ros_mbmrl.dynamics.model import DynamicsModel

WELL, WEAK, DEAD = "all well", "weak", "dead"
WEAK_SHARE = 0.5  # effectiveness of a weak actuator


@dataclass(frozen=True)
class Bank:
    """Hypotheses about a robot.

    Args:
        names: (J,), the first one is that all is well.
        effectiveness: (J, da), the share of each command that acts.
    """

    names: tuple[str, ...]
    effectiveness: Tensor

    @classmethod
    def of(cls, spec: RobotSpec) -> Bank:
        """Return the bank of any robot: each actuator alone is weak or dead."""
        names, rows = [WELL], [torch.ones(len(spec.action))]
        for k, limit in enumerate(spec.action):
            for word, share in ((WEAK, WEAK_SHARE), (DEAD, 0.0)):
                names.append(f"{limit.name} {word}")
                row = torch.ones(len(spec.action))
                row[k] = share
                rows.append(row)
        return cls(tuple(names), torch.stack(rows))

    def parameters(self, normalizer: Normalizer, deviation: Tensor) -> Parameters:
        """Return what the rule needs, as tensors that are stored with the model.

        Args:
            normalizer: of the model.
            deviation: of the model's errors under the right hypothesis (outputs,), normalised.
        """
        inputs = acting(normalizer, self.effectiveness)
        own = {"scale": inputs.scale, "shift": inputs.shift}
        return CAUSES.named({**own, "deviation": deviation})


def acting(normalizer: Normalizer, effectiveness: Tensor) -> InputUpdate:
    """Return the change of a model's inputs under which only a share of each command acts.

    A command a times e is normalised to (e a - mean) / std = e x + mean (e - 1) / std. The commands
    are the last inputs.

    Args:
        normalizer: of the model.
        effectiveness: the shares (..., da).

    Returns:
        Its scale and shift are (..., inputs).
    """
    dims, mean, std = effectiveness.shape[-1], normalizer.input_mean, normalizer.input_std
    scale = effectiveness.new_ones(*effectiveness.shape[:-1], len(mean))
    shift = torch.zeros_like(scale)
    scale[..., -dims:] = effectiveness
    shift[..., -dims:] = mean[-dims:] * (effectiveness - 1) / std[-dims:]
    return InputUpdate(scale, shift)


class CauseFilter(UpdateRule):
    """Rule that infers which hypothesis of a bank explains the window.

    Args:
        change: prior probability that the cause becomes another one within a period.
        well: prior probability of the first hypothesis; the others share the rest.
        limit: deviations that an error counts for at most, so that no single row decides.
    """

    inputs_only = True
    labelled = True

    def __init__(
        self,
        change: float = 0.01,
        well: float = 0.5,
        limit: float = 5.0,
    ) -> None:
        for name, value in (("change", change), ("well", well)):
            if not 0 < value < 1:
                raise ValueError(f"{name}: expected a probability between 0 and 1, got {value}")
        if not 0 < limit < math.inf:
            raise ValueError(f"limit: expected above 0, got {limit}")
        self._change, self._well, self._limit = change, well, limit

    def init(self, mlp: MLP, parameters: Parameters, generator: Generator) -> Parameters:
        """Return a bank in which all is well, as large as that of `parameters` if they have one.

        A fit makes the bank, see `Bank.parameters`.
        """
        shape = len(CAUSES.part(parameters).get("scale", [0])), mlp.sizes[0]
        own = {"scale": torch.ones(shape), "shift": torch.zeros(shape)}
        return CAUSES.named({**own, "deviation": torch.ones(mlp.sizes[-1])})

    def calibrated(
        self, model: DynamicsModel, parameters: Parameters, x: Tensor, y: Tensor
    ) -> Parameters:
        """Return the network's parameters with a bank, and the deviation of errors on the rows."""
        with torch.inference_mode():
            error = model.mlp.forward(parameters, x) - y
        deviation = error.square().mean(dim=0).sqrt().clamp_min(1e-3)
        bank = Bank.of(model.robot.spec).parameters(model.normalizer, deviation)
        return {**fitted_of(parameters), **bank}

    def update(self, mlp: MLP, parameters: Parameters, support: Support) -> Update:
        """Return the inputs' update under the most probable hypothesis of each task."""
        bank, best = CAUSES.part(parameters), self.posterior(mlp, parameters, support).argmax(-1)
        inputs = InputUpdate(bank["scale"][best], bank["shift"][best])
        return Update(mlp.no_update.layers, inputs=inputs)

    def diagnose(
        self, spec: RobotSpec, mlp: MLP, parameters: Parameters, support: Support
    ) -> Diagnosis:
        """See `UpdateRule.diagnose`."""
        probability, best = self.posterior(mlp, parameters, support)[0].max(dim=-1)
        return Diagnosis(Bank.of(spec).names[int(best)], float(probability))

    def posterior(self, mlp: MLP, parameters: Parameters, support: Support) -> Tensor:
        """Return the probability of each hypothesis at the end of each window, (N, J)."""
        evidence = self._evidence(mlp, parameters, support)
        evidence = evidence - evidence.amax(dim=-1, keepdim=True)
        count = evidence.shape[-1]
        prior = evidence.new_full((count,), (1 - self._well) / max(1, count - 1))
        prior[0] = self._well
        belief = prior.expand(evidence.shape[0], -1)
        for likelihood in evidence.exp().unbind(dim=1):
            ahead = torch.lerp(belief, prior.expand_as(belief), self._change)
            belief = ahead * likelihood
            belief = belief / belief.sum(dim=-1, keepdim=True).clamp_min(1e-30)
        return belief

    def _evidence(self, mlp: MLP, parameters: Parameters, support: Support) -> Tensor:
        """Return the logarithmic likelihoods of each row under each hypothesis, (N, T1, J)."""
        bank, rows = CAUSES.part(parameters), len(support.x)
        # All hypotheses in one pass, each of them over the rows of every task.
        each = (bank[name].repeat_interleave(rows, dim=0) for name in ("scale", "shift"))
        update = Update(mlp.no_update.layers, inputs=InputUpdate(*each))
        outputs = mlp.forward_updated(parameters, update, support.x).outputs
        outputs = outputs.reshape(-1, *support.y.shape)
        error = ((outputs - support.y) / bank["deviation"]).clamp(-self._limit, self._limit)
        found = -0.5 * error.square().sum(dim=-1)
        return spread(found.movedim(0, -1), len(support.weight)) * support.weight
