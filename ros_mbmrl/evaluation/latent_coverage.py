"""Particles of an adapted model with a latent variable, for the coverage of its intervals.

Each start is preceded by a window, which the model is adapted to under its guard. A particle keeps
its z in all steps and has noise of its own in each; where the guard refuses, z is left out.
"""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from ros_mbmrl.adaptation.guard import Guard, make_guard
from ros_mbmrl.dynamics.files import LoadedModel
from ros_mbmrl.learning.segments import Transitions
from ros_mbmrl.networks.ensemble import Ensemble
from ros_mbmrl.networks.noise import has_noise, log_variance
from ros_mbmrl.networks.updates import Update


def has_latent(loaded: LoadedModel) -> bool:
    """Tell whether a model is a single network with a latent variable and noise."""
    return not isinstance(loaded.model.mlp, Ensemble) and has_noise(loaded.parameters)


class LatentParticles:
    """Particles from recorded states under recorded commands.

    Args:
        loaded: a model with a latent variable.
        data: all steps.
        generator: of z and of the noise.
    """

    def __init__(self, loaded: LoadedModel, data: Transitions, generator: Generator) -> None:
        self._model, self._data, self._generator = loaded.model, data, generator
        self._guard: Guard = make_guard(loaded)

    def preceded(self, starts: Tensor) -> Tensor:
        """Return those of the rows that a whole window of the same rollout goes before."""
        first, rollout = starts - self._guard.window_size, self._data.rollout
        return starts[(first >= 0) & (rollout[first.clamp_min(0)] == rollout[starts])]

    def __call__(self, starts: Tensor, horizon: int, copies: int) -> Tensor:
        """Return the states (n, copies, ds) that are reached `horizon` steps after starts (n,)."""
        past = starts[:, None] + torch.arange(-self._guard.window_size, 0)
        support = self._data.support(self._model, past, marks=False)
        update, _ = self._guard.update(self._model.mlp, support)
        if update.spread is not None:
            size = update.spread.shape[1]
            drawn = torch.randn(len(starts), copies, size, generator=self._generator)
            update = update.drawn(drawn)
        states = self._data.states[starts][:, None].expand(-1, copies, -1)
        for h in range(horizon):
            actions = self._data.actions[starts + h][:, None].expand(-1, copies, -1)
            states = self._step(update, states, actions)
        return states

    def _step(self, update: Update, states: Tensor, actions: Tensor) -> Tensor:
        model, parameters = self._model, self._guard.parameters
        outputs = model.outputs(parameters, update, states, actions)
        noise = torch.randn(outputs.shape, generator=self._generator)
        outputs = outputs + (0.5 * log_variance(parameters)).exp() * noise
        return model.robot.advance(states, model.normalizer.denormalise(outputs))
