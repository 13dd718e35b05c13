"""A learned model with a reward and ends of episodes: what actor-critics step, row by row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import torch
from torch import Generator, Tensor

from ros_mbmrl.dynamics.imagination import Imagination
from ros_mbmrl.dynamics.true_dynamics import TrueDynamics
from ros_mbmrl.policies.imagined import Ended, Reward, commands_of


class Step(NamedTuple):
    """One imagined control period: states (N, ds) reached, rewards (N,), terminated (N,) 0 or 1."""

    states: Tensor
    rewards: Tensor
    terminated: Tensor


@dataclass(frozen=True)
class ImaginedWorld:
    """Moves rows of states by actions from -1 to 1; differentiable (the pathwise derivative).

    Args:
        imagination: moves them, or the system's own physics do.
        reward: of a control period.
        ended: tells in which states an episode terminates; None: in none.
    """

    imagination: Imagination | TrueDynamics
    reward: Reward
    ended: Ended | None = None

    @cached_property
    def _command(self) -> Callable[[Tensor], Tensor]:
        return commands_of(self.imagination.robot.spec)

    def observe(self, states: Tensor) -> Tensor:
        """Return what a policy sees (N, do) of states (N, ds)."""
        return self.imagination.robot.observation(states)

    def step(
        self,
        states: Tensor,
        actions: Tensor,
        generator: Generator,
        members: Tensor | None = None,
    ) -> Step:
        """Return what becomes of states (N, ds) under actions (N, da).

        A row whose next state is not finite stays where it is. Nothing ends where the reward is
        differentiated: `terminated` has no gradient.

        Args:
            states, actions: of the rows.
            generator: of members and predicted variance.
            members: of the rows (N,), see `Imagination.by_members`; None: by the scheme, drawn.
        """
        commands, imagination = self._command(actions), self.imagination
        if members is None:
            drawn = imagination.drawn(len(states), generator)
            moved = imagination.step(states, commands, drawn, generator)
        else:
            moved = imagination.by_members(states, commands, members, generator)
        finite = (0.0 * moved).sum(dim=-1, keepdim=True) == 0.0
        moved = torch.where(finite, moved, states)
        return Step(moved, self.reward(states, commands, moved), self._over(moved))

    @torch.no_grad()
    def _over(self, states: Tensor) -> Tensor:
        if self.ended is None:
            return torch.zeros(len(states))
        return self.ended(states).float()
