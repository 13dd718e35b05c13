"""Task of following a path at a given speed, as a cost on imagined states."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

import torch
from torch import Tensor

from ros_mbmrl.robots.live import Live
from ros_mbmrl.robots.paths import PATHS, SPEED, Path, make_path
from ros_mbmrl.robots.spec import Array, Robot

__all__ = ["PATHS", "SPEED", "Path", "PathFollowing", "PathWeights", "make_path"]


@dataclass(frozen=True)
class PathWeights:
    """Scales of the path's errors: an error as large as its scale costs 1.

    Args:
        cross_track: distance from the path [m].
        progress: distance along the path from the place that the wanted speed asks for [m].
        change: change of a command in one period, as a fraction of its range.
        lookahead: length of path that the planner sees [m].
        spacing: distance of its points [m].
    """

    LIVE: ClassVar[Mapping[str, Live]] = MappingProxyType(
        {
            "cross_track": Live(1e-4, 10.0, "distance from the path that costs 1 [m]"),
            "progress": Live(1e-3, 10.0, "distance along the path that costs 1 [m]"),
            "change": Live(1e-3, 1e3, "change of a command that costs 1, as a part of its range"),
        }
    )

    cross_track: float = 0.02
    progress: float = 0.1
    change: float = 2.0
    lookahead: float = 1.0
    spacing: float = 0.02

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not value > 0:
                raise ValueError(f"{name}: expected a number above 0, got {value!r}")


class PathFollowing:
    """A `Task`: stay on the path, move along it at `speed` [m/s], stop at its end.

    `finished` tells whether the end has been reached; it stays true, because sensor noise would
    make the robot twitch there. `progress` is the arc length reached so far [m]. `cross_track` is
    the signed distance from the path at the last state [m], left positive. `speed` and `weights`
    may be exchanged between two plans.
    """

    def __init__(
        self, robot: Robot, path: Path, speed: float = SPEED, weights: PathWeights | None = None
    ) -> None:
        if not speed > 0:
            raise ValueError(f"speed: expected a number above 0, got {speed!r}")
        spec = robot.spec
        names = [quantity.name for quantity in spec.state]
        self.path, self.speed = path, speed
        self.progress, self.cross_track, self.finished = 0.0, 0.0, False
        self.weights = weights or PathWeights()
        self._x, self._y = names.index("x"), names.index("y")
        self._period = spec.period
        self._span = torch.as_tensor(spec.action_high - spec.action_low, dtype=torch.float32)

    def reference(self, state: Array) -> Tensor:
        """Return the stretch ahead (M, 4): x, y [m], heading [rad], arc length from here [m].

        Moves `progress` and `cross_track` on to `state` (ds,).
        """
        xy = (state[self._x], state[self._y])
        self.progress, self.cross_track = self.path.project(xy, self.progress)
        self.finished |= self.path.finished(self.progress)
        weights = self.weights
        count = round(weights.lookahead / weights.spacing)
        stretch = self.path.stretch(self.progress, count, weights.spacing)
        return torch.as_tensor(stretch, dtype=torch.float32)

    def cost(self, states: Tensor, actions: Tensor, reference: Tensor) -> Tensor:
        """Return the mean over the steps of the squared, scaled errors, (K,). See `Task.cost`."""
        weights = self.weights
        along, across = locate(states[:, 1:, self._x], states[:, 1:, self._y], reference)
        elapsed = self._period * torch.arange(1, along.shape[1] + 1, device=along.device)
        wanted = torch.minimum(self.speed * elapsed, reference[-1, 3])
        errors = (across / weights.cross_track).square()
        errors += ((along - wanted) / weights.progress).square()
        change = actions.diff(dim=1) / (self._span * weights.change)
        return errors.mean(1) + change.square().sum((1, 2)) / actions.shape[1]


def locate(x: Tensor, y: Tensor, reference: Tensor) -> tuple[Tensor, Tensor]:
    """Locate places relative to a stretch of path, from the tangent at the nearest of its M points.

    Args:
        x, y: places (K, H) [m].
        reference: (M, 4), see `PathFollowing.reference`.

    Returns:
        Arc length from here and signed distance, left positive: two of shape (K, H) [m].
    """
    # Relative to here, so that the squares below keep the centimetres in float32.
    origin = reference[0, :2]
    places = torch.stack([x, y], dim=-1).sub_(origin)
    points = reference[:, :2] - origin
    # Nearest by |p|^2 - 2 p.q, which is smallest where |p - q|^2 is.
    distance = torch.addmm(points.square().sum(1), places.flatten(0, 1), points.T, alpha=-2)
    nearest = distance.argmin(1)
    cos, sin = reference[:, 2].cos(), reference[:, 2].sin()
    table = torch.stack([points[:, 0], points[:, 1], cos, sin, reference[:, 3]], dim=1)
    px, py, c, s, arc = table[nearest].view(*x.shape, 5).unbind(-1)
    dx, dy = places[..., 0] - px, places[..., 1] - py
    return arc + c * dx + s * dy, c * dy - s * dx
