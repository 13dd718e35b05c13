"""DynamicsModel: a robot's maps, a normalisation and a network; parameters are passed in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor

from ros_mbmrl.dynamics.draws import Uncertain
from ros_mbmrl.dynamics.ensemble import EnsembleRollout, MemberRollouts
from ros_mbmrl.dynamics.normalizer import Normalizer
from ros_mbmrl.dynamics.particles import Noise
from ros_mbmrl.dynamics.rollout import Buffers, Rollout
from ros_mbmrl.networks.attention import attends
from ros_mbmrl.networks.ensemble import Ensemble, members_of
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.networks.noise import has_noise, log_variance
from ros_mbmrl.networks.recurrent import fades, imagine
from ros_mbmrl.networks.updates import Update
from ros_mbmrl.robots.spec import Robot


class Moments(NamedTuple):
    """Predicted changes (..., dc), and how far they are known, in the squares of their units.

    Args:
        mean: over the members.
        aleatoric: the variance that the members predict, their mean; None without Gaussian heads.
        disagreement: variance of the members' means; None of a single network.
    """

    mean: Tensor
    aleatoric: Tensor | None
    disagreement: Tensor | None

    @property
    def variance(self) -> Tensor | None:
        """Return the sum of both (law of total variance), as far as the model knows them."""
        if self.aleatoric is None or self.disagreement is None:
            return self.disagreement
        return self.aleatoric + self.disagreement


@dataclass(frozen=True)
class DynamicsModel:
    """The mean of p(s' | s, a), a Gaussian over the change of state; its variance: `moments`.

    Args:
        robot: whose state it predicts.
        mlp: the network, without parameters.
        normalizer: of inputs and changes.
        precision: of the network's matrix products in a `predictor` without a memory.
    """

    robot: Robot
    mlp: MLP
    normalizer: Normalizer
    precision: torch.dtype = torch.float32
    _buffers: Buffers = field(default_factory=Buffers, init=False, repr=False, compare=False)

    def to(self, device: torch.device) -> DynamicsModel:
        """Return the model on a device, on which its parameters have to be, too."""
        return replace(self, normalizer=self.normalizer.to(device))

    @cached_property
    def member(self) -> DynamicsModel:
        """Return the model that one member of an ensemble is; a single network's is its own."""
        return replace(self, mlp=self.mlp.member) if isinstance(self.mlp, Ensemble) else self

    def predict(self, parameters: Parameters, features: Tensor, actions: Tensor) -> Tensor:
        """Return predicted changes (..., dc) in SI units."""
        outputs = self.mlp.forward(parameters, self.normalizer.inputs(features, actions))
        return self.normalizer.denormalise(outputs)

    def predictor(
        self, parameters: Parameters, hidden: Tensor | None = None, spread: Tensor | None = None
    ) -> Callable[[Tensor, Tensor], Tensor]:
        """Return a roll-out under one model: states (K, ds), actions (K, H, da) -> (K, H+1, ds).

        Args:
            parameters: of the network.
            hidden: memory (1, size) that belongs to the parameters, (E, size) of an ensemble. Every
                candidate starts from a copy of it, so imagined steps do not change it.
            spread: (J, outputs) of the first layer, see `Update.spread`; None: nothing is known.
        """
        if isinstance(self.mlp, Ensemble) and (hidden is not None or attends(parameters)):
            own = members_of(parameters)
            memories = [None] * len(own) if hidden is None else list(hidden[:, None])
            each = list(zip(own, memories, strict=True))
            rolls = [self.member.predictor(*each[k]) for k in self.mlp.used]
            return MemberRollouts(rolls, hidden is not None)
        if hidden is not None:
            memory, layers = hidden, self.mlp.no_update.layers

            def remember(state: Tensor, actions: Tensor) -> Tensor:
                update = Update(layers, memory.expand(len(state), -1))
                return self.rollout_updated(parameters, update, state, actions)

            return remember

        rest = (self.normalizer, parameters, self.precision, self._buffers)
        if isinstance(self.mlp, Ensemble):
            return EnsembleRollout(self.robot, self.mlp, *rest)
        rollout = Rollout(self.robot, self.mlp, *rest)
        if not has_noise(parameters):
            return rollout

        def under(value: Tensor) -> Rollout:
            assert spread is not None  # else nobody asks
            own = {**parameters, "b0": parameters["b0"] + value @ spread}
            rest = (self.normalizer, own, self.precision, self._buffers)
            return Rollout(self.robot, self.mlp, *rest)

        return Uncertain(rollout, spread, under)

    def particles(self, parameters: Parameters, noise: Noise) -> EnsembleRollout:
        """Return a roll-out of particles with noise, of an ensemble with Gaussian heads."""
        if not isinstance(self.mlp, Ensemble) or not self.mlp.gaussian:
            raise ValueError(f"expected an ensemble with Gaussian heads, got {self.mlp}")
        rest = (self.normalizer, parameters, self.precision, self._buffers)
        return EnsembleRollout(self.robot, self.mlp, *rest, noise=noise)

    def predictor_each(
        self, parameters: Parameters, update: Update
    ) -> Callable[[Tensor, Tensor], Tensor]:
        """Return a roll-out of K candidates for each of N tasks, each task under its own update.

        It maps states (N, ds), actions (N, K, H, da) to (N, K, H+1, ds). With a memory every
        candidate has a copy of its task's memory, unless imagined steps do not enter it (a leaky
        context).
        """
        if isinstance(self.mlp, Ensemble):
            each = list(zip(members_of(parameters), self.mlp.updates(update), strict=True))
            remembers = any(own.hidden is not None for _, own in each)
            rolls = [self.member.predictor_each(*each[k]) for k in self.mlp.used]
            return MemberRollouts(rolls, remembers)
        if update.hidden is None:
            rollout = self._rollout_each(parameters, update)
            if not has_noise(parameters):
                return rollout

            def under(value: Tensor) -> Callable[[Tensor, Tensor], Tensor]:
                return self._rollout_each(parameters, update.drawn(value[None, None]))

            return Uncertain(rollout, update.spread, under)

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

    def _rollout_each(
        self, parameters: Parameters, update: Update
    ) -> Callable[[Tensor, Tensor], Tensor]:
        """Return `predictor_each` of a network without a memory."""
        own = (self.robot, self.mlp, self.normalizer)
        written = self.mlp.materialise_each(parameters, update)
        rollout = Rollout(*own, written, self.precision, self._buffers)
        return lambda state, actions: rollout(_to_each(state, actions), actions)

    def rollout_updated(
        self, parameters: Parameters, update: Update, state: Tensor, actions: Tensor
    ) -> Tensor:
        """Roll out N tasks, each under its own update: (N, ds), (N, H, da) -> (N, H+1, ds)."""
        return self._rollout(parameters, update, state[:, None], actions[:, None])[:, 0]

    def follow(
        self,
        parameters: Parameters,
        update: Update,
        state: Tensor,
        choose: Callable[[Tensor, int], Tensor],
        horizon: int,
    ) -> tuple[Tensor, Tensor]:
        """Roll out a policy from states (N, ds), each task under its own update.

        Args:
            choose: chooses actions (N, da) in imagined states (N, ds) at a step.

        Returns:
            States (N, H+1, ds) and the actions (N, H, da).
        """
        chosen: list[Tensor] = []

        def act(states: Tensor, step: int) -> Tensor:
            chosen.append(choose(states[:, 0], step))
            return chosen[-1][:, None]

        states = self._imagine(parameters, update, state[:, None], act, horizon)
        return states[:, 0], torch.stack(chosen, dim=-2)

    def outputs(
        self, parameters: Parameters, update: Update, states: Tensor, actions: Tensor
    ) -> Tensor:
        """Return the network's outputs (N, T, dc) in states (N, T, ds) under actions (N, T, da)."""
        x = self.normalizer.inputs(self.robot.features(states), actions)
        return self.mlp.forward_updated(parameters, update, x)[0]

    def moments(
        self, parameters: Parameters, update: Update, states: Tensor, actions: Tensor
    ) -> Moments:
        """Return what is predicted for states (N, T, ds) under actions (N, T, da), in SI units."""
        if not isinstance(self.mlp, Ensemble):
            return self._of_one(parameters, update, states, actions)
        x = self.normalizer.inputs(self.robot.features(states), actions)
        means, variances = self.mlp.moments(parameters, update, x)
        unit = self.normalizer.change_std.square()
        return Moments(
            self.normalizer.denormalise(means.mean(dim=0)),
            None if variances is None else variances.mean(dim=0) * unit,
            means.var(dim=0, correction=0) * unit,
        )

    def _of_one(
        self, parameters: Parameters, update: Update, states: Tensor, actions: Tensor
    ) -> Moments:
        """Return the moments of a single network: variances as far as it knows any.

        The disagreement is that of 2 J points of a latent variable of J numbers, sqrt(J) deviations
        from its mean (Arasaratnam and Haykin, *Cubature Kalman Filters*, 2009, eq. 32).
        """
        mean = self.normalizer.denormalise(self.outputs(parameters, update, states, actions))
        if not has_noise(parameters):
            return Moments(mean, None, None)
        unit = self.normalizer.change_std.square()
        noise = (log_variance(parameters).exp() * unit).expand_as(mean)
        if update.spread is None:
            return Moments(mean, noise, torch.zeros_like(mean))
        size = update.spread.shape[1]
        points = size**0.5 * torch.eye(size).to(mean)
        points = torch.cat([points, -points])
        tasks, rows = mean.shape[:2]
        each = (part.repeat_interleave(2 * size, dim=1) for part in (states, actions))
        drawn = update.drawn(points.repeat(rows, 1).expand(tasks, -1, -1))
        outputs = self.outputs(parameters, drawn, *each)
        apart = outputs.view(tasks, rows, 2 * size, -1).var(dim=2, correction=0) * unit
        return Moments(mean, noise, apart)

    def _rollout(
        self, parameters: Parameters, update: Update, state: Tensor, actions: Tensor
    ) -> Tensor:
        """Roll out N tasks under actions (N, T, H, da): states (N, T, ds) to (N, T, H+1, ds)."""

        def act(_: Tensor, step: int) -> Tensor:
            return actions[..., step, :]

        return self._imagine(parameters, update, state, act, actions.shape[-2])

    def _imagine(
        self,
        parameters: Parameters,
        update: Update,
        state: Tensor,
        act: Callable[[Tensor, int], Tensor],
        horizon: int,
    ) -> Tensor:
        """Roll out states (N, T, ds) -> (N, T, H+1, ds) under the actions (N, T, da) of each step.

        Only what is imagined of the first of the T enters a task's memory.
        """
        states = [state]
        for h in range(horizon):
            x = self.normalizer.inputs(self.robot.features(states[-1]), act(states[-1], h))
            outputs, _, _ = self.mlp.forward_updated(parameters, update, x)
            change = self.normalizer.denormalise(outputs)
            states.append(self.robot.advance(states[-1], change))
            if h + 1 < horizon:
                update = imagine(parameters, update, x[:, 0], outputs[:, 0])
        return torch.stack(states, dim=-2)


def _to_each(state: Tensor, actions: Tensor) -> Tensor:
    """Return states (N, ds) as (N, K, ds), to go with actions (N, K, H, da); or as they are."""
    if state.dim() == actions.dim() - 1:
        return state
    return state[:, None].expand(-1, actions.shape[1], -1)
