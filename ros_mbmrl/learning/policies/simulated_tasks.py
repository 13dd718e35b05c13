"""Tasks of simulated robots: situations of the training distributions, and robots in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from types import MappingProxyType

import numpy as np

from ros_mbmrl.errors import UserError, choose
from ros_mbmrl.learning.policies.benchmarks import benchmark_tasks
from ros_mbmrl.policies.sampling import Tasks
from ros_mbmrl.robots import make_robot
from ros_mbmrl.simulation.benchmarks import BENCHMARKS
from ros_mbmrl.simulation.distributions import ROBOTS, TRAINING
from ros_mbmrl.simulation.mechanisms import MECHANISMS, make_mechanisms
from ros_mbmrl.simulation.models import models_of
from ros_mbmrl.simulation.points import POINTS, make_points
from ros_mbmrl.simulation.simulated_robots import make_simulated
from ros_mbmrl.simulation.situations import POSSIBLE, Situation

# Control periods of an episode, by the name of an environment.
HORIZONS: Mapping[str, int] = MappingProxyType(
    {
        **{name: row.horizon for name, row in BENCHMARKS.items()},
        **{name: row.horizon for name, row in MECHANISMS.items()},
    }
)


def simulated_tasks(robot: str, names: Sequence[str] = (), across: bool = True) -> Tasks:
    """Return tasks whose situations are drawn from the named distributions, all alike.

    Args:
        robot: name of a simulated robot, of a row of `POINTS` or `MECHANISMS`, or of one of
            `BENCHMARKS`, which has robot and situations.
        names: of `TRAINING`, or one of `BENCHMARKS`. Points and mechanisms have a distribution of
            their own.
        across: without names, take the robot's first distribution, if it has one; else the robot
            as it should be.

    Raises:
        UserError: the robot is not simulated, or a distribution is not the robot's.
    """
    if robot in BENCHMARKS:
        if names:
            raise UserError(f"situations: expected none: environment '{robot}' has its own")
        return benchmark_tasks(robot)
    choose("simulated robot", robot, (*POSSIBLE, *POINTS, *MECHANISMS))
    own = [name for name, of in ROBOTS.items() if of == robot]
    benchmarks = [name for name, row in BENCHMARKS.items() if row.robot == robot]
    for name in names:
        choose(f"situations of robot '{robot}'", name, (*own, *benchmarks))
    if robot in MECHANISMS:
        return _mechanism_tasks(robot)
    if robot in POINTS:
        world = POINTS[robot]
        return Tasks(world.robot(robot), world.draw, partial(make_points, robot))
    if set(names) & set(benchmarks):
        if len(names) > 1:
            raise UserError("situations: expected one environment alone, with rewards of its own")
        return benchmark_tasks(names[0])
    drawn = tuple(names) or (tuple(own[:1]) if across else ())

    def draw(rng: np.random.Generator) -> Situation:
        if not drawn:
            return Situation()
        which = 0 if len(drawn) == 1 else int(rng.integers(len(drawn)))
        return TRAINING[drawn[which]](rng)

    models = models_of(robot)
    make = partial(make_simulated, robot, models=models)
    return Tasks(make_robot(robot), draw, make, models.simulation.goals, drawn)


def _mechanism_tasks(name: str) -> Tasks:
    """Return the tasks of a row of `MECHANISMS`; with its physics, where all are alike."""
    row = MECHANISMS[name]
    known = None if row.masses else (lambda s, a: row.physics(s, a, s.new_zeros(len(s), 0)))
    make = partial(make_mechanisms, name)
    return Tasks(row.robot(), row.draw, make, ended=row.ended, physics=known)
