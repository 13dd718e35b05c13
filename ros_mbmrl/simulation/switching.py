"""Tasks that change within an episode: Hiraoka et al., section A.5."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ros_mbmrl.robots.ant import LEGS
from ros_mbmrl.robots.running import BACKWARD, FORWARD, RunCourse, Score, SwitchingCourse
from ros_mbmrl.simulation.moments import moments
from ros_mbmrl.simulation.situations import Change, Factors, Situation, Terrain, TimedFault

Draw = Callable[[np.random.Generator], Situation]

LOAD, GRIP = (0.5, 2.0), (0.5, 1.5)  # factors on the trunk's mass, and on the friction
PIERS = 2**30  # seeds


@dataclass(frozen=True)
class ChangingDirection:
    """A draw of a runner that shall go forward or backward, each time by chance.

    Args:
        period: control period [s].
        horizon: control periods of an episode.
    """

    period: float
    horizon: int

    def __call__(self, rng: np.random.Generator) -> Situation:
        """Draw the courses of an episode."""
        changes = moments(rng, self.period * self.horizon)
        first, *later = ((FORWARD, BACKWARD)[k] for k in rng.integers(2, size=len(changes) + 1))
        pairs = zip(changes, later, strict=True)
        return Situation(course=first, changes=tuple(Change(at, course) for at, course in pairs))


def changing_leg(period: float, horizon: int) -> Draw:
    """Return a draw of an ant with one crippled leg, each time another one by chance."""

    def draw(rng: np.random.Generator) -> Situation:
        edges = [0.0, *moments(rng, period * horizon), math.inf]
        legs = rng.choice(LEGS, len(edges) - 1)
        each = zip(legs, edges[:-1], edges[1:], strict=True)
        return Situation(
            faults=tuple(TimedFault(f"leg_{leg}_crippled", *own) for leg, *own in each)
        )

    return draw


def changing_load(period: float, horizon: int) -> Draw:
    """Return a draw of a robot whose trunk's mass and whose friction change by chance.

    Section A.5 tells no ranges: `LOAD` and `GRIP`, drawn uniformly in their logarithms, are ours.
    """

    def drawn(rng: np.random.Generator) -> Factors:
        trunk, friction = (
            math.exp(rng.uniform(math.log(low), math.log(high))) for low, high in (LOAD, GRIP)
        )
        return Factors(trunk=trunk, friction=friction)

    def draw(rng: np.random.Generator) -> Situation:
        changes = moments(rng, period * horizon)
        later = tuple(Change(at, physics=drawn(rng)) for at in changes)
        return Situation(physics=drawn(rng), changes=later)

    return draw


def any_pier(rng: np.random.Generator) -> Situation:
    """Draw the blocks of a pier."""
    return Situation(Terrain("pier", seed=int(rng.integers(PIERS))))


def course_task(score: Score, situation: Situation, now: float, period: float) -> RunCourse:
    """Return the task of a runner in a situation, from `now` [s] on.

    Args:
        score: of a control period.
        situation: tells its course, and when that changes.
        now: seconds since the reset.
        period: control period [s].
    """
    first = situation.at(now).course
    later = [
        (math.ceil((change.begin - now) / period - 1e-6), change.course)
        for change in situation.changes
        if change.course is not None and change.begin > now + 1e-9
    ]
    return SwitchingCourse(score, [(0, first), *later]) if later else RunCourse(score, first)
