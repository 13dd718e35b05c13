"""DynamicsModel: a robot's maps, a normalisation and a network, joined; parameters are values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from ros_mbmrl.dynamics.normalizer import Normalizer
from ros_mbmrl.dynamics.rollout import Buffers, Rollout
from ros_mbmrl.networks.mlp import MLP, Parameters, Update
from ros_mbmrl.networks.recurrent import fades, imagine
from ros_mbmrl.robots.spec import Robot


@dataclass(frozen=True)
class DynamicsModel:
    """The mean of p(s' | s, a), a Gaussian over the change of state with fixed variance.

    precision: of the network's products in a `predictor` without a memory.
    """

    robot: Robot
    mlp: MLP
    normalizer: Normalizer
    precision: torch.dtype = torch.float32
    _buffers: Buffers = field(default_factory=Buffers, init=False, repr=False, compare=False)

    def to(self, device: torch.device) -> DynamicsModel:
        """The same on a device, which its parameters have to be on."""
        return replace(self, normalizer=self.normalizer.to(device))

    def predict(self, parameters: Parameters, features: Tensor, actions: Tensor) -> Tensor:
        """Predicted changes (..., dc), SI units."""
        outputs = self.mlp.forward(parameters, self.normalizer.inputs(features, actions))
        return self.normalizer.denormalise(outputs)

    def predictor(
        self, parameters: Parameters, hidden: Tensor | None = None
    ) -> Callable[[Tensor, Tensor], Tensor]:
        """Roll-outs under one model: states (K, ds), actions (K, H, da) -> (K, H+1, ds).

        hidden: (1, size), the memory that the parameters are right with. Every candidate goes on
        from it with a copy of its own, so that nothing imagined gets into it.
        """
        if hidden is not None:
            memory, layers = hidden, self.mlp.no_update.layers

            def remember(state: Tensor, actions: Tensor) -> Tensor:
                update = Update(layers, memory.expand(len(state), -1))
                return self.rollout_updated(parameters, update, state, actions)

            return remember

        own = (self.robot, self.mlp, self.normalizer)
        return Rollout(*own, parameters, self.precision, self._buffers)

    def predictor_each(
        self, parameters: Parameters, update: Update
    ) -> Callable[[Tensor, Tensor], Tensor]:
        """Roll-outs of K candidates of each of N tasks, under updates of their own.

        states (N, ds), actions (N, K, H, da) -> (N, K, H+1, ds). With a memory every candidate
        has a copy of its task's, unless what it imagines does not enter it (a leaky one).
        """
        if update.hidden is None:
            own = (self.robot, self.mlp, self.normalizer)
            written = self.mlp.materialise_each(parameters, update)
            rollout = Rollout(*own, written, self.precision, self._buffers)
            return lambda state, actions: rollout(_to_each(state, actions), actions)

        def remember(state: Tensor, actions: Tensor) -> Tensor:
            state = _to_each(state, actions)
            if fades(parameters):
                return self._rollout(parameters, update, state, actions)
            alone = (part.flatten(0, 1)[:, None] for part in (state, actions))
            each = update.repeated(actions.shape[1])
            return self._rollout(parameters, each, *alone).view(
                *actions.shape[:2], -1, state.shape[-1]
            )

        return remember

    def rollout_updated(
        self, parameters: Parameters, update: Update, state: Tensor, actions: Tensor
    ) -> Tensor:
        """Roll-outs of N tasks, each under its own update: (N, ds), (N, H, da) -> (N, H+1, ds)."""
        return self._rollout(parameters, update, state[:, None], actions[:, None])[:, 0]

    def _rollout(
        self, parameters: Parameters, update: Update, state: Tensor, actions: Tensor
    ) -> Tensor:
        """States (N, T, ds), actions (N, T, H, da) -> (N, T, H+1, ds); one memory a task.

        What is imagined of the first of the T is what enters it.
        """
        states, horizon = [state], actions.shape[-2]
        for h in range(horizon):
            x = self.normalizer.inputs(self.robot.features(states[-1]), actions[..., h, :])
            outputs, _, _ = self.mlp.forward_updated(parameters, update, x)
            change = self.normalizer.denormalise(outputs)
            states.append(self.robot.advance(states[-1], change))
            if h + 1 < horizon:
                update = imagine(parameters, update, x[:, 0], outputs[:, 0])
        return torch.stack(states, dim=-2)


def _to_each(state: Tensor, actions: Tensor) -> Tensor:
    """States (N, ds) as (N, K, ds), to go with actions (N, K, H, da)."""
    return state[:, None].expand(-1, actions.shape[1], -1)
