"""Branched roll-outs (Janner et al. 2019, "When to Trust Your Model", Algorithm 2, lines 7 to 9).

Short roll-outs of the policy in the models begin where the robot has been, so that errors have few
steps to grow in, and imagined states are like real ones.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Generator, Tensor

from ros_mbmrl.learning.policies.replay import Batch
from ros_mbmrl.policies.imagined_world import Step

# act(states (N, ds), generator) -> actions (N, da) from -1 to 1
Act = Callable[[Tensor, Generator], Tensor]


@dataclass(frozen=True)
class BranchConfig:
    """Settings of branched roll-outs.

    Args:
        length: k, control periods of a roll-out.
        rows: roll-outs after each fit of the models.
        kept: fits whose transitions are remembered, the newest.
    """

    length: int = 1
    rows: int = 10_000
    kept: int = 4

    def __post_init__(self) -> None:
        for name in ("length", "rows", "kept"):
            if (got := getattr(self, name)) < 1:
                raise ValueError(f"branches.{name}: expected at least 1, got {got}")

    @property
    def size(self) -> int:
        """Return the transitions that are remembered at most."""
        return self.length * self.rows * self.kept


class World(Protocol):
    """Moves rows by actions, as `ImaginedWorld` moves states."""

    def step(self, states: Tensor, actions: Tensor, generator: Generator) -> Step:
        """See `ImaginedWorld.step`."""


@torch.no_grad()
def branch(world: World, act: Act, starts: Tensor, length: int, generator: Generator) -> Batch:
    """Roll the policy out from each start, as long as the row does not terminate.

    Args:
        world: moves the rows, by a member drawn in each step if its scheme is `step_rand`.
        act: the policy.
        starts: states (N, ds), or whatever the world moves.
        length: k >= 1.
        generator: of actions and world.

    Returns:
        At most N k transitions, those of a step together; observations are states.
    """
    if length < 1:
        raise ValueError(f"length: expected at least 1, got {length}")
    told, states = [], starts
    for _ in range(length):
        actions = act(states, generator)
        step = world.step(states, actions, generator)
        told.append(Batch(states, actions, step.rewards, step.states, step.terminated))
        states = step.states[step.terminated == 0.0]
        if not len(states):
            break
    return Batch(*(torch.cat(part) for part in zip(*told, strict=True)))
