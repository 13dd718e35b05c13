"""DynamicsModel: a robot's maps, a normalisation and a network, joined; parameters are values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from ros_mbmrl.dynamics.mlp import MLP, Parameters, Update
from ros_mbmrl.dynamics.normalizer import Normalizer
from ros_mbmrl.dynamics.recurrent import imagine
from ros_mbmrl.dynamics.rollout import Buffers, Rollout
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

    def rollout_updated(
        self, parameters: Parameters, update: Update, state: Tensor, actions: Tensor
    ) -> Tensor:
        """Roll-outs of N tasks, each under its own update: (N, ds), (N, H, da) -> (N, H+1, ds)."""
        states, horizon = [state], actions.shape[1]
        for h in range(horizon):
            x = self.normalizer.inputs(self.robot.features(states[-1]), actions[:, h])
            outputs, _, _ = self.mlp.forward_updated(parameters, update, x[:, None])
            change = self.normalizer.denormalise(outputs[:, 0])
            states.append(self.robot.advance(states[-1], change))
            if h + 1 < horizon:
                update = imagine(parameters, update, x, outputs[:, 0])
        return torch.stack(states, dim=1)
