"""ToldAgent: plans with the model of `causes`, told the true causes: a reference."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ros_mbmrl.adaptation.bank import Acting, Bank
from ros_mbmrl.adaptation.base import robust_error
from ros_mbmrl.adaptation.guard import support_of
from ros_mbmrl.agents.base import Action, Context
from ros_mbmrl.agents.model import Adaptation, ModelAgent
from ros_mbmrl.networks.updates import Update
from ros_mbmrl.robots.spec import Array

# States (T, N, ds) and the number of the first of these control steps -> causes (T, N, k + da),
# those beside the actuators before the effectiveness of each.
Truth = Callable[[Array, int], Array]


class ToldAgent(ModelAgent):
    """Agent that knows every cause that the model has an input for, where `causes` infers it.

    It knows the present and no future: a plan assumes that the causes stay as they are.

    Args:
        truth: gives the causes; the model's are the last ones of them.
        settings: as of `ModelAgent`; the method is one that does not adapt.
    """

    def __init__(self, truth: Truth, *settings: Any, **more: Any) -> None:
        super().__init__(*settings, **more)
        self._truth = truth
        bank = Bank.of(self._model.robot.spec)
        self._size = bank.values.shape[1]
        self._acting = Acting.of(self._model.normalizer, bank.values[0], bank.actuators)

    def begin(self, context: Context) -> None:
        """See `Agent.begin`."""
        super().begin(context)
        self._told: list[Tensor] = []  # causes (N, c), one a control step

    def act(self, states: Array, time: float) -> Action:
        """See `Agent.act`."""
        now = self._truth(states[None], len(self._told))[0]
        if len(now) != len(states):
            raise ValueError(f"truth: expected that of {len(states)} robots, got {len(now)}")
        own = now[:, -self._size :]
        self._told.append(torch.as_tensor(own, dtype=torch.float32, device=self._device))
        return super().act(states, time)

    def _adapt(self) -> Adaptation:
        blind, mlp = super()._adapt(), self._model.mlp
        inputs = self._acting(self._told[-1], mlp.sizes[0])
        told = torch.ones_like(blind.accepted)
        update = Update(mlp.no_update.layers, inputs=inputs)
        return Adaptation(update, blind.before, self._error(blind.before), told)

    def _error(self, before: Tensor) -> Tensor:
        """Return the error (N,) on the window, of whose rows each has its own causes."""
        length = self._window.longest
        if not length:
            return before
        support = support_of(self._model, *self._window.transitions())
        mlp = self._model.mlp
        own = self._acting(torch.stack(self._told[-1 - length : -1], dim=1), mlp.sizes[0])
        x = torch.addcmul(own.shift, own.scale, support.x)
        outputs = mlp.forward_updated(self._guard.parameters, mlp.no_update, x).outputs
        error = robust_error(outputs - support.y, support.scale)
        return (error * support.share[..., 0]).sum(dim=1)
