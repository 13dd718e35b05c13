"""Situations of robots that files describe: what is trained on, and what settings are chosen on.

Every robot differs by the file's ranges. In `varied` nothing fails, in `broken` a command is weak
or dead all along. The file's own faults are never drawn: they are there to be tested on. Validation
has a command that fails half way.
"""

from __future__ import annotations

import numpy as np

from ros_mbmrl.robots.described.known import described
from ros_mbmrl.simulation.situations import RandomParameters, Situation, TimedFault

VARIED, BROKEN = "varied", "broken"
NAMES = (VARIED, BROKEN)


def draw_described(robot: str, name: str, rng: np.random.Generator) -> Situation:
    """Draw a situation of one of `NAMES` for the robot called `robot`, to train on."""
    parameters = RandomParameters(int(rng.integers(2**31)))
    faults = (_fault(robot, rng),) if name == BROKEN else ()
    return Situation(parameters=parameters, faults=faults)


def draw_failing(robot: str, rng: np.random.Generator, duration: float) -> Situation:
    """Draw a situation to choose settings on: a fault sets in half way through `duration` [s]."""
    parameters = RandomParameters(int(rng.integers(2**31)))
    return Situation(parameters=parameters, faults=(_fault(robot, rng, duration / 2),))


def _fault(robot: str, rng: np.random.Generator, begin: float = 0.0) -> TimedFault:
    """Draw what is weak or dead: a group that fails together, or a command that is in none."""
    description = described()[robot]
    together = {name for members in description.fail_together.values() for name in members}
    alone = (limit.name for limit in description.action if limit.name not in together)
    names = (*description.fail_together, *alone)
    return TimedFault(f"{rng.choice(names)}_{rng.choice(('disabled', 'weak'))}", begin)
