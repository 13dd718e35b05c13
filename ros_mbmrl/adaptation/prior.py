"""MB: no adaptation; the model stays the prior."""

from __future__ import annotations

from ros_mbmrl.adaptation.base import Support, UpdateRule
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.networks.updates import Update


class Prior(UpdateRule):
    """The rule whose update is zero."""

    adapts = False
    inputs_only = True

    def update(self, mlp: MLP, parameters: Parameters, support: Support) -> Update:
        """Return no update."""
        return mlp.no_update
