"""Paths on the floor, as polylines; numpy only, because the reference node reads them too."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike

from ros_mbmrl.errors import UserError, choose
from ros_mbmrl.robots.spec import Array

SPACING = 0.01  # [m]
SPEED = 0.25  # along a path, unless another is wanted [m/s]
TURN = 2 * math.pi


@dataclass(frozen=True, eq=False)
class Path:
    """A polyline of points about 1 cm apart, in the `map` frame; arrays are read-only.

    A loop that is driven several times is several times in `points`.

    Args:
        points: (N, 2) [m].
        arc: length from the first point, (N,) [m].
        heading: direction of the tangent, (N,) [rad].
    """

    points: Array
    arc: Array
    heading: Array

    def __post_init__(self) -> None:
        for array in (self.points, self.arc, self.heading):
            array.setflags(write=False)

    @staticmethod
    def from_points(points: ArrayLike) -> Path:
        """Return the polyline through `points` (N, 2) [m], resampled. Raises UserError."""
        given = np.asarray(points, dtype=float)
        if given.ndim != 2 or given.shape[1] != 2 or not np.isfinite(given).all():
            raise UserError(f"path: expected finite points of shape (N, 2), got {given.shape}")
        steps = np.hypot(*np.diff(given, axis=0).T)
        given = given[np.concatenate([[True], steps > 1e-9])] if len(given) else given
        if len(given) < 2:
            raise UserError("path: expected at least 2 different points")
        corners = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(given, axis=0).T))])
        arc = np.linspace(0.0, corners[-1], max(2, round(corners[-1] / SPACING) + 1))
        x, y = (np.interp(arc, corners, column) for column in given.T)
        along = np.gradient(np.stack([x, y], axis=1), axis=0)
        return Path(np.stack([x, y], axis=1), arc, np.arctan2(along[:, 1], along[:, 0]))

    @property
    def length(self) -> float:
        """Return the length [m]."""
        return float(self.arc[-1])

    @property
    def start(self) -> tuple[float, float, float]:
        """Return x [m], y [m], yaw [rad] where a robot begins to follow the path."""
        return float(self.points[0, 0]), float(self.points[0, 1]), float(self.heading[0])

    def placed(self, x: float, y: float, yaw: float) -> Path:
        """Return this path moved to start at x [m], y [m] in the direction yaw [rad]."""
        x0, y0, yaw0 = self.start
        c, s = math.cos(yaw - yaw0), math.sin(yaw - yaw0)
        points = (self.points - (x0, y0)) @ np.array([[c, s], [-s, c]]) + (x, y)
        turned = self.heading + (yaw - yaw0)
        return Path(points, self.arc, np.arctan2(np.sin(turned), np.cos(turned)))

    def project(
        self, xy: Sequence[float] | Array, s_hint: float, window: float = 0.3
    ) -> tuple[float, float]:
        """Return the arc length of the nearest point and the signed distance [m], left positive.

        Only searches within `window` [m] of `s_hint`, so that it does not jump where the path
        crosses itself.
        """
        low, high = np.searchsorted(self.arc, (s_hint - window, s_hint + window))
        low = min(low, len(self.arc) - 1)
        offsets = np.asarray(xy, dtype=float) - self.points[low : max(high, low + 1)]
        near = int(np.argmin((offsets**2).sum(axis=1)))
        (dx, dy), heading = offsets[near], self.heading[low + near]
        along = dx * math.cos(heading) + dy * math.sin(heading)
        across = dy * math.cos(heading) - dx * math.sin(heading)
        s = min(max(self.arc[low + near] + min(max(along, -SPACING), SPACING), 0.0), self.length)
        # Past an end, or beyond the window along the path, the whole distance counts.
        missed = along - (s - self.arc[low + near])
        return float(s), math.copysign(math.hypot(across, missed), across)

    def stretch(self, s: float, count: int, spacing: float) -> Array:
        """Return `count` points from arc length `s` on, `spacing` [m] apart; the end is repeated.

        Returns x, y, heading, arc length less s, of shape (count, 4).
        """
        arc = np.minimum(s + spacing * np.arange(count), self.length)
        x, y = (np.interp(arc, self.arc, column) for column in self.points.T)
        nearest = np.clip(np.rint(arc / self.length * (len(self.arc) - 1)), 0, len(self.arc) - 1)
        return np.stack([x, y, self.heading[nearest.astype(int)], arc - s], axis=1)

    def finished(self, s: float) -> bool:
        """Return whether arc length `s` [m] is within 2 cm of the end."""
        return s >= self.length - 0.02


# A leg of a course: length [m] and turn [rad], left positive; 0 is straight.
Leg = tuple[float, float]


def course(legs: Sequence[Leg], start: tuple[float, float, float]) -> Path:
    """Return straights and circular arcs joined one after the other from `start` (x, y, yaw)."""
    x, y, yaw = start
    points = [np.array([[x, y]])]
    for length, turn in legs:
        part = np.linspace(0.0, 1.0, max(2, math.ceil(length / SPACING) + 1))[1:]
        # The chord of an arc points along the middle of its turn; its length is
        # sin(turn/2)/(turn/2) of the arc's.
        chord = length * part * np.sinc(turn * part / TURN)
        middle = yaw + turn * part / 2
        leg = np.stack([x + chord * np.cos(middle), y + chord * np.sin(middle)], axis=1)
        (x, y), yaw = leg[-1], yaw + turn
        points.append(leg)
    return Path.from_points(np.concatenate(points))


def arc(turn: float, radius: float) -> Leg:
    """Return an arc of `radius` [m] through `turn` [rad], left positive."""
    return radius * abs(turn), turn


def straight(length: float = 5.0) -> Path:
    """Return a straight across the arena."""
    return course([(length, 0.0)], (-length / 2, 0.0, 0.0))


def left(side: float = 1.4, radius: float = 0.5, loops: int = 2) -> Path:
    """Return straights and left turns in alternation: a rounded square, centred in the arena."""
    corner = [(side, 0.0), arc(math.pi / 2, radius)]
    return course(corner * 4 * loops, (-side / 2, -side / 2 - radius, 0.0))


def zigzag(side: float = 0.4, radius: float = 0.25, periods: int = 3) -> Path:
    """Return rounded right-angled turns across the arena, a U-turn of 1 m width, and back."""
    there = [
        arc(math.pi / 4, radius),
        *[(side, 0.0), arc(-math.pi / 2, radius), (side, 0.0), arc(math.pi / 2, radius)] * periods,
    ]
    there[-1] = arc(math.pi / 4, radius)  # ends in the direction in which it began
    width = periods * (2 * side + 4 * radius) * math.sqrt(0.5)
    return course([*there, arc(math.pi, 0.5), *there], (-width / 2 - 0.25, -0.5, 0.0))


def figure8(radius: float = 0.5, loops: int = 2) -> Path:
    """Return two lobes of three quarters of a circle; their straights cross at a right angle."""
    lobes = [arc(1.5 * math.pi, radius), (2 * radius, 0.0), arc(-1.5 * math.pi, radius)]
    return course([(radius, 0.0), *lobes, (radius, 0.0)] * loops, (0.0, 0.0, 0.0))


# Each path is placed where it fits into an arena of 6 m by 6 m; a robot is put at its `start`.
PATHS: Mapping[str, Callable[[], Path]] = MappingProxyType(
    {"straight": straight, "left": left, "zigzag": zigzag, "figure8": figure8}
)


def make_path(name: str) -> Path:
    """Return the path called `name`, placed where it fits into the arena. Raises UserError."""
    choose("path", name, PATHS)
    return PATHS[name]()
