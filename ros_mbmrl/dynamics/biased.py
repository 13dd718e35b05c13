"""Biased imagination: models that are wrong on purpose (thesis, section 5.5.3, figure 10)."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Generator, Tensor

from ros_mbmrl.dynamics.imagination import Imagination
from ros_mbmrl.robots.spec import Robot

STD = 0.1  # of the noise, in each change's own unit


@dataclass(frozen=True)
class BiasedImagination(Imagination):
    """Adds N(b, 0.1^2) to the predicted changes, with a bias b of each member; made by `biased`.

    The biases are in the members' last layers.

    Args:
        observed: see `observed_changes`.
    """

    observed: Tensor = field(kw_only=True)

    def step(
        self, states: Tensor, actions: Tensor, members: Tensor, generator: Generator
    ) -> Tensor:
        """See `Imagination.step`."""
        moved = super().step(states, actions, members, generator)
        noise = STD * torch.randn(len(states), len(self.observed), generator=generator)
        return self.model.robot.advance(moved, noise * self.observed)


def biased(imagination: Imagination, biases: Tensor) -> BiasedImagination:
    """Return an imagination whose members are wrong by `biases` (E,), in each change's own unit."""
    model, observed = imagination.model, observed_changes(imagination.model.robot)
    last = f"b{model.mlp.layers - 1}"
    shift = biases[:, None, None] * observed / model.normalizer.change_std
    stack = {**imagination.stack, last: imagination.stack[last] + shift}
    own = (model, stack, imagination.scheme)
    return BiasedImagination(*own, heads=imagination.heads, observed=observed)


def observed_changes(robot: Robot) -> Tensor:
    """Return which changes the features tell (dc,): 1, or 0 for the others.

    The thesis biases what is observed, so not a planar runner's place on the ground. A floating
    body's is biased: its changes are in the body's frame, where they also move its height.
    """
    count = len(robot.spec.changes)
    somewhere = torch.linspace(0.1, 1.0, len(robot.spec.state))  # at 0 a rotation has no direction
    each = torch.cat([torch.zeros(1, count), 0.1 * torch.eye(count)])
    told = robot.features(robot.advance(somewhere.expand(len(each), -1), each))
    return ((told[1:] - told[0]).abs() > 1e-5).any(dim=-1).float()
