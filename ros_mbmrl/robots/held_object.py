"""Reward of the PR2's tasks of the thesis, section 8.4.5, as a task of a planner.

r(d) = -w d^2 - v log(d^2 + a) with the distance d between the hand's three points and their fixed
targets, w = v = 1 and a = 1e-5 m^2, less two quadratic penalties on joint velocity and torque.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from ros_mbmrl.robots.arm_tasks import ArmWeights, BringPoints
from ros_mbmrl.robots.spec import Array, Robot

if TYPE_CHECKING:
    from ros_mbmrl.robots.pr2_tasks import HandTask


@dataclass(frozen=True)
class HeldWeights(ArmWeights):
    """Weights of the thesis; the scales of the two penalties are not printed there.

    No penalty near the joints' limits: the thesis has none.
    """

    velocity: float = 0.1
    torque: float = 0.5
    limit: float = 0.0


class BringObject(BringPoints):
    """A `Task`: bring the hand's points to fixed targets; what the hand holds comes along.

    The targets are fixed, so the reference is empty, and a state has a value.
    """

    stationary = True

    def __init__(self, robot: Robot, task: HandTask, weights: HeldWeights | None = None) -> None:
        super().__init__(robot, task.points, weights=weights or HeldWeights())
        self._task = task
        self._target = torch.as_tensor(task.points.reshape(3, 3), dtype=torch.float32)

    def reference(self, state: Array) -> Tensor:
        """Return an empty reference (0,)."""
        return torch.zeros(0)

    def cost(self, states: Tensor, actions: Tensor, reference: Tensor) -> Tensor:
        """Return the mean over the steps of -r(d) and the penalties, (..., K). See `Task.cost`."""
        return super().cost(states, actions, self._target.to(states))

    def measured(self, states: Array) -> dict[tuple[str, str], Array]:
        """Return distances from the goal: farthest point, height above it, and beside it.

        See `Measured.measured`. The centre of the points is on the hand's axis.
        """
        centre = states[1:, self._points].reshape(-1, 3, 3).mean(axis=1)
        error = centre - self.goal.reshape(3, 3).mean(axis=0)
        return {
            **super().measured(states),
            ("above", "m"): error[:, 2],
            ("beside", "m"): np.linalg.norm(error[:, :2], axis=1),
        }

    def done(self, states: Array) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
        """Return in which of states (T+1, ds) but the first the task is done, (T,).

        A peg is in its hole, or a block seated, when it is as low as that: beside it cannot be.
        """
        figures, tolerance = self.measured(states), self._task.tolerance
        if not self._task.holds:
            return figures["distance", "m"] <= tolerance
        low = figures["above", "m"] <= tolerance  # deeper than asked for is done, too
        return low & (figures["beside", "m"] <= tolerance)
