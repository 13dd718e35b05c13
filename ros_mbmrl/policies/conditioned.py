"""Models that have seen contexts of N tasks, as an imagination that policies practise in."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from ros_mbmrl.dynamics.latent.base import Conditioned, Sampled
from ros_mbmrl.robots.spec import Robot


@dataclass(frozen=True)
class ConditionedImagination:
    """Moves N x K rows of states, those of a task together; see `Imagines`.

    Args:
        robot: that is modelled.
        world: K particles of each task, whose draws are fixed for a roll-out.
        tasks: their number N.
    """

    robot: Robot
    world: Sampled
    tasks: int

    @classmethod
    def of(
        cls,
        robot: Robot,
        conditioned: Conditioned,
        tasks: int,
        particles: int,
        generator: Generator,
    ) -> ConditionedImagination:
        """Draw K particles of each task, for one roll-out."""
        return cls(robot, conditioned.sampled(generator, particles), tasks)

    @property
    def latent(self) -> Tensor | None:
        """Return z of each row, (N x K, dz), for the policy; None of a model without one."""
        found = self.world.latent
        return None if found is None else found.flatten(0, 1)

    def drawn(self, rows: int, generator: Generator) -> Tensor:
        """See `Imagines.drawn`: the particles are drawn already."""
        return torch.zeros(rows, dtype=torch.long)

    def step(
        self, states: Tensor, actions: Tensor, members: Tensor, generator: Generator
    ) -> Tensor:
        """See `Imagines.step`."""
        shape = self.tasks, len(states) // self.tasks, -1
        return self.world(states.view(shape), actions.view(shape)).flatten(0, 1)
