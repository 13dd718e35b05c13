"""ToldAgent: plans with a model of commands as they act, told how they act: a reference."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ros_mbmrl.adaptation.bank import acting
from ros_mbmrl.adaptation.base import robust_error
from ros_mbmrl.adaptation.guard import support_of
from ros_mbmrl.agents.base import Context
from ros_mbmrl.agents.model import Adaptation, ModelAgent
from ros_mbmrl.networks.mlp import Update
from ros_mbmrl.robots.spec import Array


class ToldAgent(ModelAgent):
    """Agent that knows the effectiveness of every actuator where `causes` infers it.

    It knows the present and no future: a plan assumes that the effectiveness stays as it is.

    Args:
        shares: (T, N, da), the share of each command that acts in each step of a run; after T steps
            as in the last one.
        settings: as of `ModelAgent`; the method is one that does not adapt.
    """

    def __init__(self, shares: Array, *settings: Any, **more: Any) -> None:
        super().__init__(*settings, **more)
        self._shares = torch.as_tensor(shares, dtype=torch.float32, device=self._device)
        self._step = -1

    def begin(self, context: Context) -> None:
        """See `Agent.begin`."""
        if self._shares.shape[1] != len(context):
            raise ValueError(
                f"shares: expected those of {len(context)} robots, got {self._shares.shape[1]}"
            )
        super().begin(context)
        self._step = -1

    def _adapt(self) -> Adaptation:
        self._step += 1
        blind = super()._adapt()
        now = self._shares[min(self._step, len(self._shares) - 1)]
        model = self._model
        update = Update(model.mlp.no_update.layers, inputs=acting(model.normalizer, now))
        told = torch.ones_like(blind.accepted)
        return Adaptation(update, blind.before, self._error(blind.before), told)

    def _error(self, before: Tensor) -> Tensor:
        """Return the error (N,) on the window, of whose rows each has its own effectiveness."""
        length = self._window.longest
        if not length:
            return before
        steps = torch.arange(self._step - length, self._step).clamp_max(len(self._shares) - 1)
        shares = self._shares[steps.to(self._device)].transpose(0, 1)
        support = support_of(self._model, *self._window.transitions())
        own = acting(self._model.normalizer, shares)
        mlp, x = self._model.mlp, torch.addcmul(own.shift, own.scale, support.x)
        outputs = mlp.forward_updated(self._guard.parameters, mlp.no_update, x).outputs
        error = robust_error(outputs - support.y, support.scale)
        return (error * support.share[..., 0]).sum(dim=1)
