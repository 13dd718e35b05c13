"""The point of a robot whose path is drawn: its trunk, or the tip of an arm."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ros_mbmrl.robots.spec import Array, RobotSpec

MAP, TORSO = "map", "torso_lift_link"
# Names of the states that are x, y and z of a point, and its frame, first choice first; no name: 0.
POINTS = (
    (("x", "y", "z"), MAP),
    (("x", "", "z"), MAP),
    (("x", "y", ""), MAP),
    (("tip_x", "tip_y", "tip_z"), MAP),
    (("point_0_x", "point_0_y", "point_0_z"), TORSO),
)


@dataclass(frozen=True)
class TrackedPoint:
    """A point that states tell.

    Args:
        columns: indices in the state of x, y and z; None: that coordinate is 0.
        frame: of its coordinates.
    """

    columns: tuple[int | None, int | None, int | None]
    frame: str

    def of(self, states: Array) -> Array:
        """Return the point (..., 3) [m] in states (..., ds)."""
        none = np.zeros(states.shape[:-1])
        return np.stack([none if k is None else states[..., k] for k in self.columns], axis=-1)


def tracked_point(spec: RobotSpec) -> TrackedPoint | None:
    """Return the point of a robot; None if its states tell none."""
    names = [quantity.name for quantity in spec.state]
    for wanted, frame in POINTS:
        if all(name in names for name in wanted if name):
            x, y, z = (names.index(name) if name else None for name in wanted)
            return TrackedPoint((x, y, z), frame)
    return None
