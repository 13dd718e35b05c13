"""Causes and last layer: what no cause explains is left to a Bayesian last layer.

The filter finds what has failed, which is worth much and holds beyond the window. Its model is not
exact, and not every change is one of its causes; regression of the residuals that are left follows
both, within the window's noise. No parameter is added: it runs on any model of `causes`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from torch import Generator

from ros_mbmrl.adaptation.base import Support
from ros_mbmrl.adaptation.causes import CauseFilter
from ros_mbmrl.adaptation.diagnosis import Beliefs
from ros_mbmrl.adaptation.last_layer import LastLayer
from ros_mbmrl.networks.ensemble import Ensemble, MemberUpdates, members_of
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.networks.updates import Update
from ros_mbmrl.robots.spec import RobotSpec


@dataclass(frozen=True)
class CausesLastLayer(LastLayer):
    """`LastLayer` under the most probable hypothesis of `CauseFilter`.

    cause_change, well, refine: change, well and refine of the filter.
    """

    cause_change: float = 0.01
    well: float = 0.5
    refine: int = 3

    inputs_only = True  # shared by an ensemble's members; their last layers are seen to here
    labelled = True

    def __post_init__(self) -> None:
        super().__post_init__()
        self.training_rule  # noqa: B018 (refuses its wrong options)

    @property
    def training_rule(self) -> CauseFilter:
        """Return the filter alone."""
        return CauseFilter(self.cause_change, self.well, self.refine)

    def init(self, mlp: MLP, parameters: Parameters, generator: Generator) -> Parameters:
        """Return the filter's parameters."""
        return self.training_rule.init(mlp, parameters, generator)

    def beliefs(self, spec: RobotSpec, update: Update) -> Sequence[Beliefs]:
        """See `CauseFilter.beliefs`."""
        return self.training_rule.beliefs(spec, update)

    def update(self, mlp: MLP, parameters: Parameters, support: Support) -> Update:
        """Return the filter's update of the inputs, and a last layer for each network."""
        start = self.training_rule.update(mlp, parameters, support)
        if not isinstance(mlp, Ensemble):
            return self.regress(mlp, parameters, support, start)
        own = replace(mlp.member.no_update, inputs=start.inputs)
        alone = replace(support, prior=None, members=())
        found = (self.regress(mlp.member, p, alone, own) for p in members_of(parameters))
        members = tuple(replace(each, inputs=None) for each in found)
        return MemberUpdates(start.layers, inputs=start.inputs, members=members)
