"""Biased imagination: models that are wrong on purpose (thesis, section 5.5.3, figure 10)."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import torch
from torch import Generator, Tensor

from ros_mbmrl.dynamics.imagination import OF_ALL, Imagination

STD = 0.1  # of the noise, in each state's own unit


@dataclass(frozen=True)
class BiasedImagination(Imagination):
    """Adds N(b, 0.1^2) to the next states, with a bias b of the member that predicts them.

    "To the predicted observation": states that no feature tells, as a runner's place on the ground,
    stay as predicted.

    Args:
        biases: b of each member (E,), in each state's own unit.
    """

    biases: Tensor = field(kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.scheme in OF_ALL:
            raise ValueError(f"scheme: expected one of single members, got {self.scheme!r}")

    @cached_property
    def observed(self) -> Tensor:
        """Return which states the features tell (ds,): 1, or 0 for the others."""
        robot = self.model.robot
        count = len(robot.spec.state)
        somewhere = torch.linspace(0.1, 1.0, count)  # at rest a rotation may have no direction
        each = torch.cat([torch.zeros(1, count), 0.1 * torch.eye(count)])
        told = robot.features(somewhere + each)
        return ((told[1:] - told[0]).abs() > 1e-5).any(dim=-1).float()

    def step(
        self, states: Tensor, actions: Tensor, members: Tensor, generator: Generator
    ) -> Tensor:
        """See `Imagination.step`."""
        members = self.movers(len(states), members, generator)
        noise = STD * torch.randn(states.shape, generator=generator)
        wrong = (self.biases[members, None] + noise) * self.observed
        return self.by_members(states, actions, members) + wrong


def biased(imagination: Imagination, biases: Tensor) -> BiasedImagination:
    """Return an imagination whose members are biased by `biases` (E,)."""
    own = (imagination.model, imagination.stack, imagination.scheme)
    return BiasedImagination(*own, biases=biases)
