"""Maps of a described robot: a pose in a plane or in space, and scalars, with their changes.

The pose is seen and predicted from the body, so that it does not matter where the robot is and
looks; a scalar changes by plain differences, an angle that wraps by the shorter way.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import Tensor

TURN = 2.0 * math.pi


class Map(Protocol):
    """A part of the state."""

    @property
    def states(self) -> tuple[str, ...]:
        """Return the names of its columns in the state."""

    @property
    def features(self) -> tuple[str, ...]:
        """Return the names of its features."""

    @property
    def changes(self) -> tuple[str, ...]:
        """Return the names of its changes."""

    def seen(self, state: Tensor) -> Tensor:
        """Return features (..., f) of this part's columns (..., s)."""

    def difference(self, state: Tensor, following: Tensor) -> Tensor:
        """Return the change (..., c) between two times."""

    def advance(self, state: Tensor, change: Tensor) -> Tensor:
        """Return the columns after a change: `difference` inverted."""


class NoPose:
    """A robot that stays in its place."""

    states: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()

    def seen(self, state: Tensor) -> Tensor:
        """See `Map.seen`."""
        return state[..., :0]

    def difference(self, state: Tensor, following: Tensor) -> Tensor:
        """See `Map.difference`."""
        return state[..., :0]

    def advance(self, state: Tensor, change: Tensor) -> Tensor:
        """See `Map.advance`."""
        return state[..., :0]


class PlanarPose:
    """Place and heading in the plane, of which a model sees nothing."""

    states = ("x", "y", "cos_yaw", "sin_yaw")
    features: tuple[str, ...] = ()
    changes = ("forward", "left", "yaw")

    def seen(self, state: Tensor) -> Tensor:
        """See `Map.seen`."""
        return state[..., :0]

    def difference(self, state: Tensor, following: Tensor) -> Tensor:
        """Return the displacement in the frame of the body before it [m], and the turn [rad]."""
        import torch

        x, y, cos, sin = (following - state).unbind(-1)
        c, s = state[..., 2], state[..., 3]
        next_c, next_s = following[..., 2], following[..., 3]
        yaw = torch.atan2(next_s * c - next_c * s, next_c * c + next_s * s)
        return torch.stack([c * x + s * y, c * y - s * x, yaw], dim=-1)

    def advance(self, state: Tensor, change: Tensor) -> Tensor:
        """See `Map.advance`."""
        import torch

        x, y, cos, sin = state.unbind(-1)
        forward, left, yaw = change.unbind(-1)
        c, s = torch.cos(yaw), torch.sin(yaw)
        moved = [x + cos * forward - sin * left, y + sin * forward + cos * left]
        return torch.stack([*moved, cos * c - sin * s, sin * c + cos * s], dim=-1)


class FloatingPose:
    """Place and orientation in space, of which a model sees the height and where up is."""

    states = ("x", "y", "z", "qw", "qx", "qy", "qz")
    features = ("z", "up_x", "up_y", "up_z")
    changes = ("forward", "left", "upward", "roll", "pitch", "yaw")

    def seen(self, state: Tensor) -> Tensor:
        """See `Map.seen`."""
        import torch

        from ros_mbmrl.robots import rotations

        return torch.cat([state[..., 2:3], rotations.up(state[..., 3:7])], dim=-1)

    def difference(self, state: Tensor, following: Tensor) -> Tensor:
        """Return the displacement [m] and the turn [rad], both in the body's frame before it."""
        import torch

        from ros_mbmrl.robots import rotations

        back = rotations.inverse(state[..., 3:7])
        moved = rotations.rotate(back, following[..., :3] - state[..., :3])
        turn = rotations.to_vector(rotations.multiply(back, following[..., 3:7]))
        return torch.cat([moved, turn], dim=-1)

    def advance(self, state: Tensor, change: Tensor) -> Tensor:
        """See `Map.advance`; the quaternion is normalised again."""
        import torch

        from ros_mbmrl.robots import rotations

        rotation = state[..., 3:7]
        place = state[..., :3] + rotations.rotate(rotation, change[..., :3])
        turned = rotations.multiply(rotation, rotations.from_vector(change[..., 3:]))
        return torch.cat([place, rotations.normalised(turned)], dim=-1)


class Scalars:
    """Numbers that change by differences.

    Args:
        names: of all.
        wraps: of those that are angles whose whole turns do not matter.
        seen: of those that a model sees.
        predicted: of those whose change a model predicts; the others stay as they are.
    """

    def __init__(
        self,
        names: tuple[str, ...],
        wraps: frozenset[str],
        seen: frozenset[str],
        predicted: frozenset[str],
    ) -> None:
        self.states = names
        self._plain = [k for k, n in enumerate(names) if n in seen and n not in wraps]
        self._round = [k for k, n in enumerate(names) if n in seen and n in wraps]
        self._changing = [k for k, n in enumerate(names) if n in predicted]
        self.features = (
            *(names[k] for k in self._plain),
            *(f"{part}_{names[k]}" for part in ("sin", "cos") for k in self._round),
        )
        self.changes = tuple(names[k] for k in self._changing)
        self._turning = [float(names[k] in wraps) for k in self._changing]

    def seen(self, state: Tensor) -> Tensor:
        """Return those that are plain, then the sines of angles that wrap, then their cosines."""
        import torch

        angles = state[..., self._round]
        return torch.cat([state[..., self._plain], angles.sin(), angles.cos()], dim=-1)

    def difference(self, state: Tensor, following: Tensor) -> Tensor:
        """See `Map.difference`."""
        change = (following - state)[..., self._changing]
        if not any(self._turning):
            return change
        return change - TURN * (change / TURN).round() * change.new_tensor(self._turning)

    def advance(self, state: Tensor, change: Tensor) -> Tensor:
        """See `Map.advance`."""
        if len(self._changing) == state.shape[-1]:
            return state + change
        import torch

        places = torch.tensor(self._changing, device=state.device)
        return state.index_add(-1, places, change)
