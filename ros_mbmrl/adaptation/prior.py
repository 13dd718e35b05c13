"""MB: no adaptation at all; the prior stands."""

from __future__ import annotations

from ros_mbmrl.adaptation.base import Support, UpdateRule
from ros_mbmrl.networks.mlp import MLP, Parameters, Update


class Prior(UpdateRule):
    """The update that changes nothing."""

    adapts = False

    def update(self, mlp: MLP, parameters: Parameters, support: Support) -> Update:
        """Nothing."""
        return mlp.no_update
