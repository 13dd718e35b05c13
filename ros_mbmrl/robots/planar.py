"""Planar: the maps of a runner whose trunk moves in a plane, and has one angle."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ros_mbmrl.robots.spec import Array, Robot

if TYPE_CHECKING:
    from torch import Tensor


class Planar(Robot):
    """Runner whose state begins with x, z or y, and the trunk's unwrapped angle."""

    @property
    def _seen_from(self) -> int:
        """Return the first state that the dynamics depend on: not x, nor y of a level plane."""
        return 1 if self.spec.state[1].name == "z" else 2

    @property
    def observed(self) -> tuple[str, ...]:
        """See `observation`."""
        return tuple(quantity.name for quantity in self.spec.state[self._seen_from :])

    def observation(self, state: Tensor) -> Tensor:
        """Return all states but the place on the ground, as gymnasium's."""
        return state[..., self._seen_from :]

    def estimate(self, measurement: Array, previous: Array | None, dt: float) -> Array:
        """Return the measurement unchanged. See `Robot.estimate`."""
        return np.array(measurement)

    def features(self, state: Tensor) -> Tensor:
        """Return what is observed, with the trunk's angle as sine and cosine.

        An unwrapped angle would leave the range of the training data with every whole turn.
        """
        import torch

        angle = state[..., 2:3]
        height = state[..., self._seen_from : 2]
        return torch.cat([height, angle.sin(), angle.cos(), state[..., 3:]], dim=-1)

    def difference(self, state: Tensor, next_state: Tensor) -> Tensor:
        """Return plain differences: the angle is unwrapped."""
        return next_state - state

    def advance(self, state: Tensor, change: Tensor) -> Tensor:
        """Return the next state: `difference` inverted."""
        return state + change

    @property
    def follows_paths(self) -> bool:
        """Return False: the task is to run along a course."""
        return False
