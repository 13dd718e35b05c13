"""Point on a plane: commanded by its velocity, measured as it is; for studies of meta-learning."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ros_mbmrl.errors import choose
from ros_mbmrl.robots.quantities import Limit, Quantity
from ros_mbmrl.robots.spec import Array, Envelope, Robot, RobotSpec

if TYPE_CHECKING:
    from torch import Tensor

    from ros_mbmrl.robots.task import Task

PERIOD = 0.1  # [s]
STATE = (Quantity("x", "m"), Quantity("y", "m"))
CENTRE = "centre"


class Centre:
    """A `Task`: be at the origin; a period costs the square of the distance at its end [m^2]."""

    batched = stationary = True

    def reference(self, state: Array) -> Tensor:
        """Return an empty reference (0,): the goal is always the origin."""
        import torch

        return torch.zeros(0)

    def cost(self, states: Tensor, actions: Tensor, reference: Tensor) -> Tensor:
        """Return the summed costs (..., K) of states (..., K, H+1, 2). See `Task.cost`."""
        return states[..., 1:, :].square().sum((-2, -1))


class PointRobot(Robot):
    """A point that moves `reach` [m] along each axis in a control period at most.

    centred: whether its goal is the origin, which is a task; else the goal is for it to find.
    """

    def __init__(self, name: str, reach: float, centred: bool = False) -> None:
        self._centred = centred
        fastest = reach / PERIOD
        self.spec = RobotSpec(
            name=name,
            period=PERIOD,
            measurement=STATE,
            channels=tuple(f"odom.pose.pose.position.{axis}" for axis in "xy"),
            state=STATE,
            # The rate lets a command cross its whole range in one period.
            action=tuple(
                Limit(f"v{axis}", "m/s", -fastest, fastest, 2 * fastest / PERIOD) for axis in "xy"
            ),
            features=("x", "y"),
            changes=STATE,
            change_weights=(1.0, 1.0),
            envelope=Envelope(0.25, 0.25, 25.0),
        )

    def estimate(self, measurement: Array, previous: Array | None, dt: float) -> Array:
        """See `Robot.estimate`: it is measured as it is."""
        return np.array(measurement)

    def features(self, state: Tensor) -> Tensor:
        """See `Robot.features`: where it is."""
        return state

    def difference(self, state: Tensor, next_state: Tensor) -> Tensor:
        """See `Robot.difference`."""
        return next_state - state

    def advance(self, state: Tensor, change: Tensor) -> Tensor:
        """See `Robot.advance`."""
        return state + change

    @property
    def follows_paths(self) -> bool:
        """See `Robot.follows_paths`: it has no paths."""
        return False

    def tasks(self) -> Sequence[str]:
        """See `Robot.tasks`: none where the goal is not told."""
        return (CENTRE,) if self._centred else ()

    def make_task(self, name: str, start: Array) -> Task:
        """See `Robot.make_task`."""
        choose("task", name, self.tasks())
        return Centre()
