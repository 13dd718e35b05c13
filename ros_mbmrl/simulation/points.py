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
from ros_mbmrl.robots.spec import Array
from ros_mbmrl.robots.task import Task
from ros_mbmrl.simulation.analytic import AnalyticRobots
from ros_mbmrl.simulation.environment import Flags
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


class Points(AnalyticRobots):
    """N points of one row of the table. Made by `make_points`."""

    def __init__(self, name: str, situations: Sequence[Situation], seeds: Sequence[int]) -> None:
        choose("point", name, POINTS)
        self._world = POINTS[name]
        self._targets = np.zeros((len(situations), 2))
        super().__init__(self._world.robot(name), self._world.horizon, situations, seeds)

    def tasks(self) -> list[Task]:
        """See `Environment.tasks`; raises ValueError where nobody is told the goal."""
        if not self._world.centred:
            raise ValueError("points have no task to plan for: their goal is not told")
        return super().tasks()

    def _begin(self, row: int, situation: Situation, rng: np.random.Generator) -> Array:
        """See `AnalyticRobots._begin`; a situation without a goal gets one drawn from its seed."""
        state = rng.uniform(-1.0, 1.0, 2) * self._world.start
        goal = self._world.goal(rng) if situation.goal is None else situation.goal
        self._targets[row] = goal[:2]
        return state

    def _moved(self, states: Array, commands: Array) -> Array:
        """See `AnalyticRobots._moved`."""
        return states + PERIOD * commands

    def _paid(self, before: Array, commands: Array, after: Array) -> Array:
        """See `AnalyticRobots._paid`: by the row's rule."""
        return self._world.reward(self._distances(after))

    def _ended(self, states: Array) -> Flags:
        """See `AnalyticRobots._ended`: at the goal."""
        return self._distances(states) < self._world.within

    def _distances(self, states: Array) -> Array:
        """Return the distances of states (N, 2) from their goals (N,) [m]."""
        return np.asarray(np.linalg.norm(states - self._targets, axis=1))


def make_points(name: str, situations: Sequence[Situation], seeds: Sequence[int]) -> Points:
    """Make points of a row of `POINTS`, one for each situation and seed. Raises UserError."""
    return Points(name, situations, seeds)
