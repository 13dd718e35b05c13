"""Points on a plane that must find their goal: the 2-D environments of meta-RL, one table of data.

Nobody tells a point its goal: rewards do, unless it is always the origin. `Situation.goal` is
(x, y, 0) [m], a task of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from ros_mbmrl.errors import choose
from ros_mbmrl.robots.point import PERIOD, PointRobot
from ros_mbmrl.robots.spec import Array, Robot
from ros_mbmrl.robots.task import Task
from ros_mbmrl.simulation.environment import (
    Flags,
    Observation,
    Transition,
    clipped,
    observe,
    rows_of,
    tasks_of,
)
from ros_mbmrl.simulation.situations import Situation

Goal = tuple[float, float, float]


@dataclass(frozen=True)
class PointWorld:
    """A row of the table.

    Args:
        reach: largest step along each axis [m].
        start: half the side of the square around the origin that points begin in [m].
        goal: draws a goal.
        reward: from distances to the goal (n,) [m].
        horizon: control periods of an episode.
        centred: whether the goal is always the origin, a task that a point can be told.
        within: distance from the goal at which an episode is over [m]; 0: it never is.
        source: where the environment comes from.
    """

    reach: float
    start: float
    goal: Callable[[np.random.Generator], Goal]
    reward: Callable[[Array], Array]
    horizon: int = 100
    within: float = 0.0
    centred: bool = False
    source: str = ""

    def draw(self, rng: np.random.Generator) -> Situation:
        """Draw a task."""
        return Situation(goal=self.goal(rng))

    def robot(self, name: str) -> PointRobot:
        """Return the point of the row called `name`."""
        return PointRobot(name, self.reach, self.centred)


CORNER, RADIUS = 2.0, 2.0  # coordinates of a corner, and how far from it there is a reward [m]


def _corner(rng: np.random.Generator) -> Goal:
    x, y = rng.choice((-CORNER, CORNER), 2).tolist()
    return x, y, 0.0


def _anywhere(rng: np.random.Generator) -> Goal:
    x, y = rng.uniform(-0.5, 0.5, 2).tolist()
    return x, y, 0.0


POINTS: Mapping[str, PointWorld] = MappingProxyType(
    {
        # No reward at the centre: a point has to look into a corner to know whether it is the one.
        "point_corners": PointWorld(
            reach=0.2,
            start=0.2,
            goal=_corner,
            reward=lambda distance: np.maximum(RADIUS - distance, 0.0),
            source="thesis, 6.7.3 and C.4.2; sizes, but not RADIUS, of jonasrothfuss/ProMP",
        ),
        "point_navigation": PointWorld(
            reach=0.1,
            start=0.0,
            goal=_anywhere,
            reward=lambda distance: -(distance**2),
            within=0.01,
            source="Finn et al. 2017, 5.3",
        ),
        "point_centre": PointWorld(
            reach=0.1,
            start=2.0,
            goal=lambda rng: (0.0, 0.0, 0.0),
            reward=lambda distance: -(distance**2),
            horizon=30,
            centred=True,
            source="thesis, 5.5.4 and B.3; the reward is that of the state after the step",
        ),
    }
)


class Points:
    """N points of one row of the table: an `Environment`. Made by `make_points`."""

    def __init__(self, name: str, situations: Sequence[Situation], seeds: Sequence[int]) -> None:
        choose("point", name, POINTS)
        count = len(situations)
        if count != len(seeds) or count == 0:
            raise ValueError(f"expected a seed each, got {count} and {len(seeds)}")
        self._world = POINTS[name]
        self._robot = self._world.robot(name)
        self._ticks = np.zeros(count, dtype=int)
        self._positions, self._targets = np.zeros((count, 2)), np.zeros((count, 2))
        self._arrived = np.zeros(count, dtype=bool)
        self.reset(np.ones(count, dtype=bool), situations, seeds)

    def __len__(self) -> int:
        return len(self._positions)

    @property
    def robot(self) -> Robot:
        """See `Environment.robot`."""
        return self._robot

    @property
    def times(self) -> Array:
        """See `Environment.times`."""
        return self._ticks * PERIOD

    @property
    def goals(self) -> Array:
        """See `Environment.goals`: none is told."""
        return np.zeros((len(self), 0))

    def tasks(self) -> list[Task]:
        """See `Environment.tasks`; raises ValueError where nobody is told the goal."""
        if not self._world.centred:
            raise ValueError("points have no task to plan for: their goal is not told")
        return tasks_of(self._robot, self._positions, self.goals)

    def states(self) -> Array:
        """See `Environment.states`."""
        return np.array(self._positions)

    def observe(self) -> Observation:
        """See `Environment.observe`."""
        return observe(self.robot, self._positions, self.goals)

    def step(self, actions: Array) -> Transition:
        """See `Environment.step`."""
        moved = PERIOD * clipped(self.robot.spec, actions, (len(self), 2))
        self._positions += np.where(self._arrived[:, None], 0.0, moved)
        self._ticks += ~self._arrived
        distances = np.linalg.norm(self._positions - self._targets, axis=1)
        self._arrived |= distances < self._world.within
        reward, over = self._world.reward(distances), self._ticks >= self._world.horizon
        return Transition(self.observe(), reward, self._arrived.copy(), over & ~self._arrived)

    def reset(self, mask: Flags, situations: Sequence[Situation], seeds: Sequence[int]) -> None:
        """See `Environment.reset`; a situation without a goal gets one drawn from its seed."""
        rows = rows_of(mask, situations, seeds)
        for row, situation, seed in zip(rows.tolist(), situations, seeds, strict=True):
            rng = np.random.default_rng(seed)
            self._positions[row] = rng.uniform(-1.0, 1.0, 2) * self._world.start
            goal = self._world.goal(rng) if situation.goal is None else situation.goal
            self._targets[row] = goal[:2]
        self._ticks[rows], self._arrived[rows] = 0, False


def make_points(name: str, situations: Sequence[Situation], seeds: Sequence[int]) -> Points:
    """Make points of a row of `POINTS`, one for each situation and seed. Raises UserError."""
    return Points(name, situations, seeds)
