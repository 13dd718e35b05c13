"""Causes: adaptation in the space of physical causes, by a Bayesian filter over hypotheses.

A fault is a small number of physical quantities. The model is trained on commands times the
effectiveness of their actuators, which is known in simulation; at run time the effectiveness is
inferred. There is a bank of hypotheses (all is well, a group of actuators is weak or dead), and a
prior probability that the cause changes in a period. The posterior is that of a hidden Markov model
(Rabiner 1989, forward recursion), and the model acts under its most probable hypothesis, within
which the values are refined (`refinement`).

No weight is changed: under a hypothesis the inputs of the network are scaled and shifted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from torch import Generator, Tensor

from ros_mbmrl.adaptation.bank import JOINT, ODDS, Acting, Bank
from ros_mbmrl.adaptation.base import Support, UpdateRule
from ros_mbmrl.adaptation.diagnosis import Beliefs
from ros_mbmrl.adaptation.error_distribution import ErrorDistribution
from ros_mbmrl.adaptation.joint import ROUNDS, Linear, fitted, noise_of
from ros_mbmrl.adaptation.refinement import refined
from ros_mbmrl.errors import UserError
from ros_mbmrl.networks.groups import CAUSES, fitted_of
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.networks.tasks import spread
from ros_mbmrl.networks.updates import InputUpdate, Update
from ros_mbmrl.robots.spec import RobotSpec

if TYPE_CHECKING:
    from ros_mbmrl.dynamics.model import DynamicsModel

MOST_STEPS = 20  # of Gauss-Newton: it converges within a few


class CauseFilter(UpdateRule):
    """Rule that infers which hypothesis of a bank explains the window.

    Args:
        change: prior probability that the cause becomes another one within a period.
        well: prior probability of the first hypothesis; the others share the rest.
        refine: steps of Gauss-Newton within the winning hypothesis; 0 takes its level.
    """

    inputs_only = True
    labelled = True

    def __init__(self, change: float = 0.01, well: float = 0.5, refine: int = 3) -> None:
        for name, value in (("change", change), ("well", well)):
            if not 0 < value < 1:
                raise ValueError(f"{name}: expected a probability between 0 and 1, got {value}")
        if not 0 <= refine <= MOST_STEPS:
            raise ValueError(f"refine: expected 0 to {MOST_STEPS} steps, got {refine}")
        self._change, self._well, self._refine = change, well, refine

    def init(self, mlp: MLP, parameters: Parameters, generator: Generator) -> Parameters:
        """Return a bank in which all is well, as large as that of `parameters` if they have one.

        A fit makes the bank, see `Bank.parameters`.
        """
        size, bank = mlp.sizes[-1], CAUSES.part(parameters)
        values = bank["values"].shape if bank else (1, 1)
        axes = bank["axes"].shape if bank else (1, 0, 1)
        own = {"values": torch.ones(values), "axes": torch.zeros(axes)}
        own |= {
            name: torch.ones(values[1]) for name in ("default", "factor", "gain", "low", "high")
        }
        if not bank or "independent" in bank:  # models from before have none
            own["independent"] = torch.ones(1)
        if JOINT in bank:
            own[JOINT] = torch.ones(1)
        if ODDS in bank:
            own[ODDS] = torch.ones(values[0])
        return CAUSES.named({**own, **ErrorDistribution(torch.eye(size), torch.ones(1)).tensors})

    def calibrated(
        self, model: DynamicsModel, parameters: Parameters, x: Tensor, y: Tensor
    ) -> Parameters:
        """Return the network's parameters with a bank, and the distribution of the rows' errors."""
        with torch.inference_mode():
            errors = model.mlp.forward(parameters, x) - y
        bank = Bank.of(model.robot.spec).parameters(model.normalizer)
        distribution = ErrorDistribution.fit(errors)
        share = torch.tensor([distribution.independent_share(errors)])
        own = CAUSES.named({**distribution.tensors, "independent": share})
        return {**fitted_of(parameters), **bank, **own}

    def update(self, mlp: MLP, parameters: Parameters, support: Support) -> Update:
        """Return the inputs' update under the most probable hypothesis of each task."""
        bank = CAUSES.part(parameters)
        infer = self._inferred_jointly if JOINT in bank else self._inferred
        values, belief = infer(mlp, parameters, support)
        inputs = replace(Acting.stored(bank)(values, mlp.sizes[0]), belief=belief)
        return Update(mlp.no_update.layers, inputs=inputs)

    def _inferred(
        self, mlp: MLP, parameters: Parameters, support: Support
    ) -> tuple[Tensor, Tensor]:
        """Return the causes (N, c) and the probabilities (N, J); what is well is at its default."""
        bank, evidence = CAUSES.part(parameters), self._evidence(mlp, parameters, support)
        prior = self._prior(bank)
        beliefs = self._filtered(evidence, prior)
        best = beliefs[:, -1].argmax(dim=-1)
        holds = self._smoothed(evidence, beliefs, prior)
        holds = holds.gather(2, best[:, None, None].expand(-1, holds.shape[1], 1))[..., 0]
        values = refined(mlp, parameters, bank, support, best, holds, self._refine)
        return values, beliefs[:, -1]

    def _inferred_jointly(
        self, mlp: MLP, parameters: Parameters, support: Support
    ) -> tuple[Tensor, Tensor]:
        """Return the same of a robot on which what is well differs from robot to robot, too."""
        bank, weight = CAUSES.part(parameters), support.weight
        distribution = ErrorDistribution.of(bank)
        linear = Linear.of(mlp, parameters, bank, support).repeated(len(weight))
        counts = weight.mT.expand(-1, len(linear.values), -1)  # (N, J, T1)
        noise = weight.new_ones(len(weight), support.y.shape[-1])
        z = weight.new_zeros(len(weight), *linear.axes.shape[:2])
        before = self._prior(bank).log()
        for _ in range(ROUNDS):
            fit = fitted(linear, distribution, counts, noise, z)
            z, evidence = fit.z, fit.evidence * weight
            prior = (before + fit.prior).softmax(dim=-1)
            beliefs = self._filtered(evidence, prior)
            holds = self._smoothed(evidence, beliefs, prior).mT * weight.mT
            noise = noise_of(fit, distribution, holds, noise)
            # Improbable hypotheses are fitted to the rows that would be theirs.
            counts = holds / holds.amax(dim=2, keepdim=True).clamp_min(1e-30)
        best = beliefs[:, -1].argmax(dim=-1)
        return linear.causes(z)[torch.arange(len(best)), best], beliefs[:, -1]

    def beliefs(self, spec: RobotSpec, update: Update) -> Sequence[Beliefs]:
        """See `UpdateRule.beliefs`."""
        if update.inputs is None or update.inputs.belief is None:
            return ()
        names, rows = Bank.of(spec).names, update.inputs.belief.tolist()
        if len(rows[0]) == 1:  # no fit has made a bank
            return ()
        if len(names) != len(rows[0]):
            raise UserError(
                f"the model's bank has {len(rows[0])} hypotheses, expected {len(names)} of "
                f"{spec.name}: train it again"
            )
        return [dict(zip(names, row, strict=True)) for row in rows]

    def posterior(self, mlp: MLP, parameters: Parameters, support: Support) -> Tensor:
        """Return the probability of each hypothesis at the end of each window, (N, J)."""
        update = self.update(mlp, parameters, support)
        assert update.inputs is not None and update.inputs.belief is not None
        return update.inputs.belief

    def _filtered(self, evidence: Tensor, prior: Tensor) -> Tensor:
        """Return the probabilities (N, T1 + 1, J) before the first row and after each.

        The forward recursion: Rabiner 1989, eq. 19 to 20, normalised.

        Args:
            evidence: logarithmic likelihoods (N, T1, J).
            prior: probabilities (J,) or (N, J) of what comes after a change.
        """
        beliefs = [prior.expand(evidence.shape[0], -1)]
        for likelihood in _likelihoods(evidence):
            ahead = torch.lerp(beliefs[-1], prior.expand_as(beliefs[-1]), self._change)
            beliefs.append(_normalised(ahead * likelihood))
        return torch.stack(beliefs, dim=1)

    def _smoothed(self, evidence: Tensor, beliefs: Tensor, prior: Tensor) -> Tensor:
        """Return the probability (N, T1, J) that each hypothesis holds in each row.

        The backward recursion: Rabiner 1989, eq. 25 and 27, normalised.
        """
        likelihoods = _likelihoods(evidence)
        after = torch.ones_like(beliefs[:, 0])  # beta: of the rows that follow, by hypothesis
        holds = [torch.empty(0)] * len(likelihoods)
        for k in reversed(range(len(likelihoods))):
            holds[k] = _normalised(beliefs[:, k + 1] * after)
            after = likelihoods[k] * after
            ahead = (after * prior).sum(dim=-1, keepdim=True)
            after = _normalised(torch.lerp(after, ahead.expand_as(after), self._change))
        return torch.stack(holds, dim=1)

    def _prior(self, bank: Mapping[str, Tensor]) -> Tensor:
        """Return the prior probability (J,) of each hypothesis of a bank."""
        odds = bank.get(ODDS, torch.ones_like(bank["values"][:, 0]))
        rest = odds[1:]
        shares = (1 - self._well) * rest / rest.sum()
        return torch.cat([torch.full_like(odds[:1], self._well), shares])

    def _evidence(self, mlp: MLP, parameters: Parameters, support: Support) -> Tensor:
        """Return the logarithmic likelihoods of each row under each hypothesis, (N, T1, J).

        Tempered by the share of independent rows, see `ErrorDistribution.independent_share`.
        """
        bank, rows = CAUSES.part(parameters), len(support.x)
        each = Acting.stored(bank)(bank["values"], mlp.sizes[0])
        # All hypotheses in one pass, each of them over the rows of every task.
        spaced = InputUpdate(*(p.repeat_interleave(rows, dim=0) for p in (each.scale, each.shift)))
        update = Update(mlp.no_update.layers, inputs=spaced)
        outputs = mlp.forward_updated(parameters, update, support.x).outputs
        errors = outputs.reshape(-1, *support.y.shape) - support.y
        found = ErrorDistribution.of(bank).log_likelihood(errors) * bank.get("independent", 1.0)
        return spread(found.movedim(0, -1), len(support.weight)) * support.weight


def _likelihoods(evidence: Tensor) -> tuple[Tensor, ...]:
    """Return the likelihoods (N, J) of each row, relative to the best hypothesis's."""
    return (evidence - evidence.amax(dim=-1, keepdim=True)).exp().unbind(dim=1)


def _normalised(belief: Tensor) -> Tensor:
    """Return probabilities (N, J) that sum to one."""
    return belief / belief.sum(dim=-1, keepdim=True).clamp_min(1e-30)
