"""Roll-out under an ensemble: trajectory sampling (Chua et al. 2018), the candidates split.

Each candidate is imagined by one member from its first step to its last (TS-infinity), and
neighbouring candidates by different members. So an ensemble costs what one network costs, and a
plan that only one member believes in is not the best of many that resemble it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Generator, Tensor

from ros_mbmrl.dynamics.normalizer import Normalizer
from ros_mbmrl.dynamics.particles import CommonNoise, Noise, ParticleRollout, orders
from ros_mbmrl.dynamics.rollout import Buffers, Rollout
from ros_mbmrl.errors import UserError
from ros_mbmrl.networks.ensemble import Ensemble, stacked
from ros_mbmrl.networks.mlp import Parameters
from ros_mbmrl.robots.spec import Robot

Predict = Callable[[Tensor, Tensor], Tensor]


class EnsembleRollout:
    """A roll-out: states (K, ds), actions (K, H, da) -> states (K, H+1, ds).

    Candidate k is imagined by member k mod E. Fewer candidates than members are imagined by all,
    and what is returned is the mean state.

    Args:
        parameters: of the members.
        dtype, buffers: see `Rollout`.
        particles, noise: see `ParticleRollout`.

    Attributes:
        members: E; 1 where every candidate is moved by all of them (`mean`).
    """

    def __init__(
        self,
        robot: Robot,
        mlp: Ensemble,
        normalizer: Normalizer,
        parameters: Parameters,
        dtype: torch.dtype,
        buffers: Buffers,
        particles: str = "ts_inf",
        noise: Noise | None = None,
    ) -> None:
        self._own = robot, mlp, normalizer, parameters, dtype, buffers
        self._gaussian = mlp.gaussian
        self.members = 1 if particles == "mean" else len(mlp.used)
        self._roll: Predict
        if particles == "ts_inf" and noise is None:
            stack = stacked(parameters, mlp.used)
            self._roll = Rollout(robot, mlp.member, normalizer, stack, dtype, buffers)
        else:
            self._roll = ParticleRollout(*self._own, particles, noise)
        self._alone = particles == "mean"

    @torch.inference_mode()
    def __call__(self, state: Tensor, actions: Tensor) -> Tensor:
        """Roll out `actions` from `state`; see the class."""
        if self._alone:
            return self._roll(state, actions)
        count, members = len(actions), self.members
        if count < members:
            each = self._roll(*(part.expand(members, *part.shape) for part in (state, actions)))
            return each.mean(dim=0)
        return _gathered(self._roll(*(_split(part, members) for part in (state, actions))), count)

    def propagated(self, particles: str, generator: Generator | None) -> EnsembleRollout:
        """Return the roll-out with another propagation.

        Args:
            particles: see `ParticleRollout`.
            generator: of the noise of the predicted variance; None: means alone.

        Raises:
            UserError: noise of an ensemble without Gaussian heads.
        """
        if generator is not None and not self._gaussian:
            raise UserError("planner parameter sample: expected a model with Gaussian heads")
        noise = None if generator is None else CommonNoise(generator)
        return EnsembleRollout(*self._own, particles, noise)


class MemberRollouts:
    """A roll-out of K candidates by models of their own, candidate k by that of member k mod E.

    It maps states (K, ds), actions (K, H, da) to (K, H+1, ds), or, of N tasks, (N, ds) and
    (N, K, H, da) to (N, K, H+1, ds), as `EnsembleRollout` does.

    Args:
        rolls: a roll-out for each member, see `DynamicsModel.predictor` and `predictor_each`.
        remembers: whether they have a memory, which stays with its member.
        particles: see `ParticleRollout`.
    """

    def __init__(
        self, rolls: Sequence[Predict], remembers: bool, particles: str = "ts_inf"
    ) -> None:
        self._rolls, self._remembers, self._particles = rolls, remembers, particles
        self.members = 1 if particles == "mean" else len(rolls)

    def __call__(self, state: Tensor, actions: Tensor) -> Tensor:
        """Roll out `actions` from `state`; see the class."""
        if self._particles != "ts_inf":
            return self._stepwise(state, actions)
        count, step = actions.shape[-3], self.members
        if count < step:
            return torch.stack([roll(state, actions) for roll in self._rolls]).mean(dim=0)
        own_states = state.dim() == actions.dim() - 1
        parts = [
            roll(state[..., k::step, :] if own_states else state, actions[..., k::step, :, :])
            for k, roll in enumerate(self._rolls)
        ]
        found = state.new_empty(*actions.shape[:-2], *parts[0].shape[-2:])
        for k, part in enumerate(parts):
            found[..., k::step, :, :] = part
        return found

    def propagated(self, particles: str, generator: Generator | None) -> MemberRollouts:
        """Return the roll-out with another propagation; see `EnsembleRollout.propagated`.

        Raises:
            UserError: noise, or another member in every step for a model with a memory.
        """
        if generator is not None:
            raise UserError(
                "planner parameter sample: expected false where robots are planned for together, "
                "or the model has a memory"
            )
        if self._remembers and particles != "ts_inf":
            raise UserError(
                f"planner parameter particles: {particles}: expected ts_inf, since a memory stays "
                "with its member"
            )
        return MemberRollouts(self._rolls, self._remembers, particles)

    def _stepwise(self, state: Tensor, actions: Tensor) -> Tensor:
        """Roll out step by step: the candidates change their members, or follow the mean of all."""
        members, count = len(self._rolls), actions.shape[-3]
        if state.dim() < actions.dim() - 1:
            state = state[..., None, :].expand(*actions.shape[:-2], -1)
        states = [state]
        for h in range(actions.shape[-2]):
            step = actions[..., h : h + 1, :]
            if self._particles == "mean" or count < members:
                each = [roll(states[-1], step)[..., -1, :] for roll in self._rolls]
                states.append(torch.stack(each).mean(dim=0))
                continue
            moved = torch.empty_like(states[-1])
            for member, group in enumerate(orders(members, h)[0]):
                rows = (states[-1][..., group::members, :], step[..., group::members, :, :])
                moved[..., group::members, :] = self._rolls[member](*rows)[..., -1, :]
            states.append(moved)
        return torch.stack(states, dim=-2)


def _split(rows: Tensor, members: int) -> Tensor:
    """Return rows (K, ...) as (E, ceil(K / E), ...); the first ones fill what is missing."""
    missing = -len(rows) % members
    whole = torch.cat([rows, rows[:missing]]) if missing else rows
    return whole.view(-1, members, *rows.shape[1:]).transpose(0, 1).contiguous()


def _gathered(parts: Tensor, count: int) -> Tensor:
    """Return the rows that `_split` was given."""
    return parts.transpose(0, 1).flatten(0, 1)[:count]
