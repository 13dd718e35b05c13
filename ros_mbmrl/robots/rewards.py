"""Rewards of the thesis, table 5, for arrays and tensors alike, and as tasks of a planner."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ros_mbmrl.robots.spec import Array

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Running:
    """Reward for running along x: (x_{t+1} - x_t) / period - effort |a|^2 + alive; period [s]."""

    period: float
    effort: float
    alive: float = 0.0

    def reward(self, x: Any, actions: Any, next_x: Any) -> Any:
        """Return rewards (...) for x (...) [m], actions (..., da), and x one period later [m]."""
        return (next_x - x) / self.period - self.effort * (actions**2).sum(-1) + self.alive


def reaching_reward(tip: Any, goal: Any) -> Any:
    """Return -|tip - goal|^2 (...) [m^2] for two points (..., 3) [m]."""
    return -((tip - goal) ** 2).sum(-1)


class Run:
    """A `Task`: run along x, which is state 0. Works on any leading dimensions."""

    batched = stationary = True

    def __init__(self, running: Running) -> None:
        self._running = running

    def reference(self, state: Array) -> Tensor:
        """Return an empty reference (0,): the direction is always x."""
        import torch

        return torch.zeros(0)

    def cost(self, states: Tensor, actions: Tensor, reference: Tensor) -> Tensor:
        """Return the summed negative rewards (..., K) of states (..., K, H+1, ds)."""
        x = states[..., 0]
        rewards: Tensor = self._running.reward(x[..., :-1], actions, x[..., 1:])
        return -rewards.sum(-1)

    def measured(self, states: Array) -> dict[tuple[str, str], Array]:
        """Return the speed along x. See `Measured.measured`."""
        return {("speed", "m_s"): np.diff(states[:, 0]) / self._running.period}


class Reach:
    """A `Task`: bring the tip, states `first` to `first` + 2, to a goal (3,) [m]."""

    batched = True

    def __init__(self, first: int, goal: Array) -> None:
        self._tip, self._goal = slice(first, first + 3), goal

    def reference(self, state: Array) -> Tensor:
        """Return the goal (3,) [m]."""
        import torch

        return torch.as_tensor(self._goal, dtype=torch.float32)

    def cost(self, states: Tensor, actions: Tensor, reference: Tensor) -> Tensor:
        """Return the summed negative rewards (..., K), reference (..., 3). See `Task.cost`."""
        tip = states[..., 1:, self._tip]
        rewards: Tensor = reaching_reward(tip, reference[..., None, None, :])
        return -rewards.sum(-1)

    def measured(self, states: Array) -> dict[tuple[str, str], Array]:
        """Return the tip's distance from the goal. See `Measured.measured`."""
        error = states[1:, self._tip] - self._goal
        return {("distance", "m"): np.linalg.norm(error, axis=-1)}
