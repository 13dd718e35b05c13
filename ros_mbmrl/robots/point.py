"""Point on a plane: commanded by its velocity, measured as it is; for studies of meta-learning."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ros_mbmrl.robots.mechanism import Mechanism, Stationary
from ros_mbmrl.robots.quantities import Quantity

if TYPE_CHECKING:
    from torch import Tensor

PERIOD = 0.1  # [s]
STATE = (Quantity("x", "m"), Quantity("y", "m"))
CENTRE = "centre"


class Centre(Stationary):
    """A `Task`: be at the origin; a period costs the square of the distance at its end [m^2]."""

    def cost(self, states: Tensor, actions: Tensor, reference: Tensor) -> Tensor:
        """Return the summed costs (..., K) of states (..., K, H+1, 2). See `Task.cost`."""
        return states[..., 1:, :].square().sum((-2, -1))


class PointRobot(Mechanism):
    """A point that moves `reach` [m] along each axis in a control period at most.

    centred: whether its goal is the origin, which is a task; else the goal is for it to find.
    """

    def __init__(self, name: str, reach: float, centred: bool = False) -> None:
        fastest = reach / PERIOD
        super().__init__(
            name,
            PERIOD,
            STATE,
            channels=[f"odom.pose.pose.position.{axis}" for axis in "xy"],
            action=[(f"v{axis}", "m/s", -fastest, fastest) for axis in "xy"],
            task=(CENTRE, Centre) if centred else None,
        )
