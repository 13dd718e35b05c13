"""Fits the twin's physical parameters to gait figures of the real robot: bounded least squares.

A parameter of the robot is shared by all terrains, a parameter of the ground is one terrain's.
Every evaluation replays the same real commands with the same seeds, so that differences are the
parameters' doing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from typing import Any

import numpy as np
from scipy.optimize import least_squares  # type: ignore[import-untyped]

from ros_mbmrl.learning.identification.gait import gait_figures
from ros_mbmrl.learning.identification.replay import Drive, replay
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.spec import Array
from ros_mbmrl.runtime.workers import begin_worker
from ros_mbmrl.simulation.calibration import Calibration

Figures = Mapping[str, float]


@dataclass(frozen=True)
class Bounds:
    """Bounds of a parameter. log: searched by ratio; otherwise by difference."""

    low: float
    high: float
    log: bool = True

    def value(self, u: float) -> float:
        """Return the value at a place u between 0 and 1."""
        if not self.log:
            return self.low + u * (self.high - self.low)
        return math.exp(math.log(self.low) + u * math.log(self.high / self.low))

    def place(self, value: float) -> float:
        """Return the place of a value, held inside of the bounds."""
        value = min(max(value, self.low), self.high)
        if not self.log:
            return (value - self.low) / (self.high - self.low)
        return math.log(value / self.low) / math.log(self.high / self.low)


# Every parameter that HARDWARE.md gives no number for and the figures say something about.
SHARED: Mapping[tuple[str, str], Bounds] = {
    ("frame", "leg_radius"): Bounds(0.005, 0.012),
    ("frame", "hull_height"): Bounds(0.002, 0.012),
    ("frame", "roll_damping"): Bounds(5e-5, 3e-3),
    ("frame", "pitch_damping"): Bounds(5e-5, 3e-3),
    ("motor", "slope"): Bounds(0.7, 1.3),
    ("motor", "offset"): Bounds(-3.0, 9.0, log=False),
    ("motor", "lag"): Bounds(0.004, 0.08),
    ("telemetry", "jitter"): Bounds(0.001, 0.03),
    ("telemetry", "marker_height"): Bounds(0.0, 0.06, log=False),
}
GROUND: Mapping[str, Bounds] = {
    "friction": Bounds(0.25, 1.5),
    "drag": Bounds(0.03, 1.5),
    "yaw_drag": Bounds(1e-4, 6e-3),
    "leg_drag": Bounds(3e-6, 2e-4),
    "shake_roll": Bounds(1e-4, 0.03),
    "shake_pitch": Bounds(1e-4, 0.03),
    "shake_yaw": Bounds(1e-4, 0.03),
    "shake_push": Bounds(0.01, 1.0),
    "pull": Bounds(-1e-3, 4e-3, log=False),
}
# Fitted figures: a ratio off by TOLERANCE is one unit of error, or, where a ratio says nothing
# because the figure may be 0, a difference off by that share of the scale given here.
TOLERANCE = 0.10
FITTED = (
    *("speed_p5", "speed_p50", "speed_p95", "stride", "yaw_per_hz", "yaw_noise", "side_noise"),
    *("sway_roll", "sway_pitch", "hz_gain", "hz_newest", "hz_at_6", "hz_noise"),
    *("gyro_x", "gyro_y", "gyro_z", "roll", "pitch", "yaw_bias"),
)
SCALES: Mapping[str, float] = {"yaw_bias": 0.2}  # [rad/s]


class Problem:
    """The search space and the residuals; places are numbers between 0 and 1."""

    def __init__(
        self,
        start: Calibration,
        drives: Mapping[str, Sequence[Drive]],
        goal: Mapping[str, Figures],
        names: Sequence[tuple[str, ...]] = (),
    ) -> None:
        self.start, self.drives, self.goal = start, drives, goal
        self.terrains = tuple(drives)
        ground = [("terrains", t, name) for t in self.terrains for name in GROUND]
        self.names = list(names) or [*SHARED, *ground]

    def bounds(self, name: tuple[str, ...]) -> Bounds:
        """Return the bounds of a parameter."""
        return GROUND[name[2]] if name[0] == "terrains" else SHARED[name[0], name[1]]

    def places(self) -> Array:
        """Return the places of the start."""
        return np.array([self.bounds(n).place(_get(self.start, n)) for n in self.names])

    def calibration(self, places: Array) -> Calibration:
        """Return the calibration that a vector of places stands for."""
        made = self.start
        for name, u in zip(self.names, places, strict=True):
            made = _set(made, name, self.bounds(name).value(float(u)))
        return made

    def concerns(self, name: tuple[str, ...]) -> tuple[str, ...]:
        """Return the terrains that a parameter has an effect on."""
        return (name[1],) if name[0] == "terrains" else self.terrains

    def residual(self, terrain: str, figures: Figures) -> Array:
        """Return a terrain's residuals over tolerances (len(FITTED),): logs or differences."""
        goal = self.goal[terrain]
        return np.array(
            [
                (figures[n] - goal[n]) / (SCALES[n] * TOLERANCE)
                if n in SCALES
                else np.log(max(figures[n] / goal[n], 0.05)) / TOLERANCE
                for n in FITTED
            ]
        )


@dataclass(frozen=True)
class Task:
    """One terrain under one calibration."""

    terrain: str
    calibration: Calibration
    drives: Sequence[Drive]
    seed: int


def evaluate(task: Task) -> dict[str, float]:
    """Compute the twin's gait figures; run in worker processes."""
    robot = make_robot("hexapod")
    return gait_figures(replay(robot, task.drives, task.terrain, task.calibration, task.seed))


def fit(
    problem: Problem,
    seed: int,
    iterations: int,
    workers: int,
    progress: Callable[[int, float], None],
    step: float = 0.04,
) -> Calibration:
    """Fit the calibration with the least squared residuals, searched from `problem.start`.

    step: of the finite differences, as a share of each range: wide, for a simulated walk is not
    smooth. progress(evaluation, cost) is told of every point tried.
    """
    first = problem.places()
    with ProcessPoolExecutor(workers, get_context("spawn"), begin_worker) as pool:
        search = _Search(problem, seed, pool, progress, step)
        # In differences from the start, since the first trust region is as wide as x_scale there.
        result = least_squares(
            lambda z: search.residuals(first + z),
            np.zeros_like(first),
            lambda z: search.jacobian(first + z),
            bounds=(-first - 1e-9, 1 - first + 1e-9),
            max_nfev=iterations,
            x_scale=0.5,
        )
    return problem.calibration(np.clip(first + result.x, 0.0, 1.0))


class _Search:
    """Residuals and their slopes, simulated by a pool, each point once; counts those tried."""

    def __init__(
        self,
        problem: Problem,
        seed: int,
        pool: Executor,
        progress: Callable[[int, float], None],
        step: float,
    ) -> None:
        self._problem, self._seed, self._pool = problem, seed, pool
        self._progress, self._step = progress, step
        self._tried = 0
        self._known: dict[tuple[str, bytes], dict[str, float]] = {}

    def residuals(self, places: Array) -> Array:
        """Return the residuals of all terrains, one after the other."""
        problem = self._problem
        found = self._figures([(terrain, places) for terrain in problem.terrains])
        parts = [problem.residual(t, f) for t, f in zip(problem.terrains, found, strict=True)]
        residuals = np.concatenate(parts)
        self._tried += 1
        self._progress(self._tried, float((residuals**2).mean()))
        return residuals

    def jacobian(self, places: Array) -> Array:
        """Return the slopes of the residuals (R, P) by one-sided differences."""
        problem, rows = self._problem, len(FITTED)
        # Towards the middle: inside of the bounds whatever the place.
        steps = np.where(places > 0.5, -self._step, self._step)
        moves = [(k, t) for k, name in enumerate(problem.names) for t in problem.concerns(name)]
        points = [(t, places) for t in problem.terrains]
        points += [(t, places + steps * (np.arange(len(places)) == k)) for k, t in moves]
        found = self._figures(points)
        here = dict(zip(problem.terrains, found, strict=False))
        matrix = np.zeros((rows * len(problem.terrains), len(places)))
        for (k, terrain), there in zip(moves, found[len(here) :], strict=True):
            change = problem.residual(terrain, there) - problem.residual(terrain, here[terrain])
            first = rows * problem.terrains.index(terrain)
            matrix[first : first + rows, k] = change / steps[k]
        return matrix

    def _figures(self, points: Sequence[tuple[str, Array]]) -> list[dict[str, float]]:
        problem = self._problem
        wanted = {(terrain, places.tobytes()): places for terrain, places in points}
        new = [key for key in wanted if key not in self._known]
        tasks = [
            Task(key[0], problem.calibration(wanted[key]), problem.drives[key[0]], self._seed)
            for key in new
        ]
        self._known.update(zip(new, self._pool.map(evaluate, tasks), strict=True))
        return [self._known[terrain, places.tobytes()] for terrain, places in points]


def _get(calibration: Calibration, name: tuple[str, ...]) -> float:
    part: Any = getattr(calibration, name[0])
    if name[0] == "terrains":
        part = part[name[1]]
    return float(getattr(part, name[-1]))


def _set(calibration: Calibration, name: tuple[str, ...], value: float) -> Calibration:
    changes: dict[str, Any] = {name[-1]: value}
    if name[0] != "terrains":
        return replace(calibration, **{name[0]: replace(getattr(calibration, name[0]), **changes)})
    own = replace(calibration.terrains[name[1]], **changes)
    return replace(calibration, terrains={**calibration.terrains, name[1]: own})
