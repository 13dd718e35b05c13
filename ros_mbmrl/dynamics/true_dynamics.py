"""TrueDynamics: the system's own physics in the place of a learned model, differentiable."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from ros_mbmrl.robots.spec import Robot


@dataclass(frozen=True)
class TrueDynamics:
    """Moves rows of states as `Imagination` does, by the system's own physics; nothing is drawn.

    Args:
        robot: that is moved.
        physics: next states (N, ds) of states (N, ds) under commands (N, da).
    """

    robot: Robot
    physics: Callable[[Tensor, Tensor], Tensor]
    count: int = 1

    def drawn(self, rows: int, generator: Generator) -> Tensor:
        """See `Imagination.drawn`: there is one member."""
        return torch.zeros(rows, dtype=torch.long)

    def step(
        self, states: Tensor, actions: Tensor, members: Tensor, generator: Generator
    ) -> Tensor:
        """See `Imagination.step`."""
        return self.physics(states, actions)

    def by_members(
        self, states: Tensor, actions: Tensor, members: Tensor, generator: Generator | None = None
    ) -> Tensor:
        """See `Imagination.by_members`."""
        return self.physics(states, actions)
