"""Roll-out under an ensemble: trajectory sampling (Chua et al. 2018), the candidates split.

Each candidate is imagined by one member from its first step to its last (TS-infinity), and
neighbouring candidates by different members. So an ensemble costs what one network costs, and a
plan that only one member believes in is not the best of many that resemble it.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ros_mbmrl.dynamics.normalizer import Normalizer
from ros_mbmrl.dynamics.rollout import Buffers, Rollout
from ros_mbmrl.networks.ensemble import Ensemble, members_of, stacked
from ros_mbmrl.networks.mlp import Parameters, Update
from ros_mbmrl.robots.spec import Robot


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
        self._members = mlp.members
        self._roll = Rollout(robot, mlp.member, normalizer, stacked(parameters), dtype, buffers)

    @torch.inference_mode()
    def __call__(self, state: Tensor, actions: Tensor) -> Tensor:
        """Roll out `actions` from `state`; see the class."""
        count, members = len(actions), self._members
        if count < members:
            each = self._roll(*(part.expand(members, *part.shape) for part in (state, actions)))
            return each.mean(dim=0)
        return _gathered(self._roll(*(_split(part, members) for part in (state, actions))), count)


def rollout_each(
    robot: Robot,
    mlp: Ensemble,
    normalizer: Normalizer,
    parameters: Parameters,
    update: Update,
    dtype: torch.dtype,
    buffers: Buffers,
    state: Tensor,
    actions: Tensor,
) -> Tensor:
    """Roll out K candidates of each of N tasks, each task under its own update of the inputs.

    Args:
        state: (N, ds).
        actions: (N, K, H, da).

    Returns:
        States (N, K, H+1, ds).
    """
    count, members = actions.shape[1], mlp.members
    all_of_them = count < members
    states = []
    for k, own in enumerate(members_of(parameters)):
        part = actions if all_of_them else actions[:, k::members]
        written = mlp.member.materialise_each(own, update)
        roll = Rollout(robot, mlp.member, normalizer, written, dtype, buffers)
        states.append(roll(state[:, None].expand(-1, part.shape[1], -1), part))
    if all_of_them:
        return torch.stack(states).mean(dim=0)
    found = state.new_empty(*actions.shape[:2], *states[0].shape[2:])
    for k, part in enumerate(states):
        found[:, k::members] = part
    return found


def _split(rows: Tensor, members: int) -> Tensor:
    """Return rows (K, ...) as (E, ceil(K / E), ...); the first ones fill what is missing."""
    missing = -len(rows) % members
    whole = torch.cat([rows, rows[:missing]]) if missing else rows
    return whole.view(-1, members, *rows.shape[1:]).transpose(0, 1).contiguous()


def _gathered(parts: Tensor, count: int) -> Tensor:
    """Return the rows that `_split` was given."""
    return parts.transpose(0, 1).flatten(0, 1)[:count]
