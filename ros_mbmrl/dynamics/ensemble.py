"""Roll-out under an ensemble: trajectory sampling (Chua et al. 2018), the candidates split.

Each candidate is imagined by one member from its first step to its last (TS-infinity), and
neighbouring candidates by different members. So an ensemble costs what one network costs, and a
plan that only one member believes in is not the best of many that resemble it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from ros_mbmrl.dynamics.normalizer import Normalizer
from ros_mbmrl.dynamics.rollout import Buffers, Rollout
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
    """

    def __init__(
        self,
        robot: Robot,
        mlp: Ensemble,
        normalizer: Normalizer,
        parameters: Parameters,
        dtype: torch.dtype,
        buffers: Buffers,
    ) -> None:
        self.members = mlp.members
        self._roll = Rollout(robot, mlp.member, normalizer, stacked(parameters), dtype, buffers)

    @torch.inference_mode()
    def __call__(self, state: Tensor, actions: Tensor) -> Tensor:
        """Roll out `actions` from `state`; see the class."""
        count, members = len(actions), self.members
        if count < members:
            each = self._roll(*(part.expand(members, *part.shape) for part in (state, actions)))
            return each.mean(dim=0)
        return _gathered(self._roll(*(_split(part, members) for part in (state, actions))), count)


class MemberRollouts:
    """A roll-out of K candidates by models of their own, candidate k by that of member k mod E.

    It maps states (K, ds), actions (K, H, da) to (K, H+1, ds), or, of N tasks, (N, ds) and
    (N, K, H, da) to (N, K, H+1, ds), as `EnsembleRollout` does.

    Args:
        rolls: a roll-out for each member, see `DynamicsModel.predictor` and `predictor_each`.
    """

    def __init__(self, rolls: Sequence[Predict]) -> None:
        self.members, self._rolls = len(rolls), rolls

    def __call__(self, state: Tensor, actions: Tensor) -> Tensor:
        """Roll out `actions` from `state`; see the class."""
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


def _split(rows: Tensor, members: int) -> Tensor:
    """Return rows (K, ...) as (E, ceil(K / E), ...); the first ones fill what is missing."""
    missing = -len(rows) % members
    whole = torch.cat([rows, rows[:missing]]) if missing else rows
    return whole.view(-1, members, *rows.shape[1:]).transpose(0, 1).contiguous()


def _gathered(parts: Tensor, count: int) -> Tensor:
    """Return the rows that `_split` was given."""
    return parts.transpose(0, 1).flatten(0, 1)[:count]
