"""Rows of tasks as the particles of a model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
from torch import Generator, Tensor

from ros_mbmrl.dynamics.latent.base import Conditioned
from ros_mbmrl.policies.conditioned import ConditionedImagination
from ros_mbmrl.robots.pendulum import Pendulum


@dataclass(frozen=True)
class Counted:
    """Adds to each state the number of its task, in tens, and of its particle."""

    particles: int = 0
    latent: Tensor | None = None

    def sampled(self, generator: Generator, particles: int) -> Counted:
        return Counted(particles, torch.arange(2.0 * particles).view(2, particles, 1))

    def __call__(self, states: Tensor, actions: Tensor) -> Tensor:
        own = 10.0 * torch.arange(2)[:, None] + torch.arange(self.particles)
        return states + own[..., None]


def test_rows_go_to_the_particles_of_their_task() -> None:
    own = Pendulum(), cast(Conditioned, Counted()), 2, 3, Generator()
    imagination = ConditionedImagination.of(*own)
    moved = imagination.step(torch.zeros(6, 2), torch.zeros(6, 1), torch.zeros(6), Generator())
    assert moved[:, 0].tolist() == [0.0, 1.0, 2.0, 10.0, 11.0, 12.0]
    assert imagination.latent is not None
    assert imagination.latent[:, 0].tolist() == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    assert imagination.drawn(6, Generator()).tolist() == [0] * 6
