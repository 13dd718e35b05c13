"""Update rules on an ensemble: each member is adapted as if it were alone.

A rule that changes layers is written for one network. On an ensemble it acts on every member, with
that member's prior and the rule's own parameters for it (`member.K.psi.w0` and so on), and the
guard judges the mean of what the adapted members predict.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from torch import Generator, Tensor

from ros_mbmrl.adaptation.base import Support, UpdateRule
from ros_mbmrl.adaptation.diagnosis import Beliefs
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.networks.ensemble import Ensemble, MemberUpdates, members_of, unstacked
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.networks.updates import Update
from ros_mbmrl.robots.spec import RobotSpec


class EachMember(UpdateRule):
    """A rule for one network, applied to every member of an ensemble.

    Args:
        rule: of one network.
    """

    def __init__(self, rule: UpdateRule) -> None:
        self._rule = rule
        self.meta_trained = rule.meta_trained

    def init(self, mlp: MLP, parameters: Parameters, generator: Generator) -> Parameters:
        """Return the rule's own parameters for each member, drawn one after the other."""
        member = _ensemble(mlp).member
        each = members_of(parameters)
        return unstacked([self._rule.init(member, own, generator) for own in each])

    @property
    def training_rule(self) -> EachMember:
        """See `UpdateRule.training_rule`."""
        return EachMember(self._rule.training_rule)

    def calibrated(
        self, model: DynamicsModel, parameters: Parameters, x: Tensor, y: Tensor
    ) -> Parameters:
        """Return the parameters with what the rule takes from each fitted member."""
        each = members_of(parameters)
        return unstacked([self._rule.calibrated(model.member, own, x, y) for own in each])

    def beliefs(self, spec: RobotSpec, update: Update) -> Sequence[Beliefs]:
        """Return each task's beliefs of the member that is most certain of its own."""
        members = update.members if isinstance(update, MemberUpdates) else ()
        found = [each for own in members if (each := self._rule.beliefs(spec, own))]
        return [
            max(several, key=lambda each: max(each.values()))
            for several in zip(*found, strict=True)
        ]

    def update(self, mlp: MLP, parameters: Parameters, support: Support) -> Update:
        """Return the update of each member."""
        ensemble = _ensemble(mlp)
        updates = (
            self._rule.update(ensemble.member, own, part)
            for own, part in _parts(parameters, support)
        )
        return MemberUpdates(ensemble.no_update.layers, members=tuple(updates))


def over(rule: UpdateRule, mlp: MLP) -> UpdateRule:
    """Return the rule for a network: for each member of an ensemble, if the rule changes layers."""
    if not isinstance(mlp, Ensemble) or rule.inputs_only or isinstance(rule, EachMember):
        return rule
    return EachMember(rule)


def knowing_prior(support: Support, mlp: MLP, parameters: Parameters) -> Support:
    """Return the support with the prior's pass over its rows, and with those of the members."""
    if not isinstance(mlp, Ensemble):
        return replace(support, prior=support.forward(mlp, parameters, mlp.no_update))
    passes = mlp.passes(parameters, mlp.no_update, support.x)
    return replace(support, prior=mlp.mean_of(passes), members=passes)


def _parts(parameters: Parameters, support: Support) -> list[tuple[Parameters, Support]]:
    """Return the parameters and the support of each member."""
    each = members_of(parameters)
    priors = support.members or (None,) * len(each)
    return [
        (own, replace(support, prior=prior, members=()))
        for own, prior in zip(each, priors, strict=True)
    ]


def _ensemble(mlp: MLP) -> Ensemble:
    if not isinstance(mlp, Ensemble):
        raise TypeError(f"expected an ensemble, got {mlp}")
    return mlp
