"""Tasks of simulated robots: situations of the training distributions, and robots in them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from ros_mbmrl.errors import choose
from ros_mbmrl.policies.sampling import Tasks
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.point import PointRobot
from ros_mbmrl.simulation.distributions import ROBOTS, TRAINING
from ros_mbmrl.simulation.models import models_of
from ros_mbmrl.simulation.points import POINTS, make_points
from ros_mbmrl.simulation.simulated_robots import make_simulated
from ros_mbmrl.simulation.situations import POSSIBLE, Situation


def simulated_tasks(robot: str, distributions: Sequence[str] = ()) -> Tasks:
    """Return tasks whose situations are drawn from the named distributions, all alike.

    Args:
        robot: name of a simulated robot, or of a row of `POINTS`.
        distributions: names of `TRAINING`; default: the robot's first. Points have one of their
            own.

    Raises:
        UserError: the robot is not simulated, or a distribution is not the robot's.
    """
    choose("simulated robot", robot, (*POSSIBLE, *POINTS))
    own = [name for name, of in ROBOTS.items() if of == robot]
    for name in distributions:
        choose(f"situations of robot '{robot}'", name, own)
    if robot in POINTS:
        world = POINTS[robot]
        return Tasks(PointRobot(robot, world.reach), world.draw, partial(make_points, robot))
    names = tuple(distributions) or tuple(own[:1])

    def draw(rng: np.random.Generator) -> Situation:
        which = 0 if len(names) == 1 else int(rng.integers(len(names)))
        return TRAINING[names[which]](rng)

    models = models_of(robot)
    make = partial(make_simulated, robot, models=models)
    return Tasks(make_robot(robot), draw, make, models.simulation.goals, names)
