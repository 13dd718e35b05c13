"""Environments that policies are compared on, as rows of one table.

Chapters 4 (ME-TRPO), 5 (MB-MPO) and 6 (ProMP) of the thesis, the benchmark of Wang et al. 2019,
tasks that change within an episode (Hiraoka et al., section A.5), and tasks that differ in masses
and damping (Wang and van Hoof, appendix D.1).
What a body is stands in `robots/bodies.py`; a row here says what is asked of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from ros_mbmrl.errors import choose
from ros_mbmrl.robots.bodies import BODIES
from ros_mbmrl.robots.running import BACKWARD, FORWARD, Course, Healthy, Rules
from ros_mbmrl.simulation.situations import Factors, RandomParameters, Situation
from ros_mbmrl.simulation.switching import ChangingDirection, any_pier, changing_leg, changing_load

if TYPE_CHECKING:
    from ros_mbmrl.simulation.models import Models
    from ros_mbmrl.simulation.simulated_robots import SimulatedRobots

Draw = Callable[[np.random.Generator], Situation]


def nominal(rng: np.random.Generator) -> Situation:
    """Return the body as it is, running forward."""
    return Situation()


def forward_or_backward(rng: np.random.Generator) -> Situation:
    """Draw one of two directions."""
    return Situation(course=(FORWARD, BACKWARD)[int(rng.integers(2))])


def any_direction(rng: np.random.Generator) -> Situation:
    """Draw a direction in the plane, all alike."""
    return Situation(course=Course(float(rng.uniform(-math.pi, math.pi))))


def any_speed(rng: np.random.Generator) -> Situation:
    """Draw a speed to keep, up to 2 m/s."""
    return Situation(course=Course(speed=2.0 - float(rng.uniform(0.0, 2.0))))


def random_parameters(rng: np.random.Generator) -> Situation:
    """Draw masses, inertias, damping and friction."""
    return Situation(parameters=RandomParameters(int(rng.integers(2**31))))


SCALES = (0.8, 0.9, 1.0, 1.1, 1.2)  # of masses and of damping, Wang and van Hoof, D.1


def scaled(mass: float, damping: float) -> Situation:
    """Return a body with its masses and its joints' damping multiplied by factors."""
    return Situation(physics=Factors(mass=mass, damping=damping))


def mass_and_damping(rng: np.random.Generator) -> Situation:
    """Draw one of the 25 combinations of `SCALES`."""
    mass, damping = rng.choice(SCALES, 2).tolist()
    return scaled(mass, damping)


@dataclass(frozen=True)
class Benchmark:
    """One environment.

    Args:
        robot: a row of `BODIES`.
        horizon: control periods of an episode.
        rules: reward and termination.
        draw: the distribution of tasks.
        task: the robot's task that has the same reward; "" for a reward of its own.
    """

    robot: str
    horizon: int
    rules: Rules
    draw: Draw = nominal
    task: str = ""

    def __post_init__(self) -> None:
        if self.robot not in BODIES or self.horizon < 1:
            raise ValueError(f"expected a robot of the table and a horizon, got {self}")

    @property
    def one_reward(self) -> bool:
        """Tell whether all situations have the same reward: no course is drawn."""
        drawn = isinstance(self.draw, ChangingDirection)
        return not drawn and self.draw not in (forward_or_backward, any_direction, any_speed)


def _row(
    robot: str,
    horizon: int,
    draw: Draw = nominal,
    task: str = "",
    healthy: Healthy | None = None,
    terms: Mapping[str, float] | None = None,
) -> Benchmark:
    """Return a row: the score of a body's task (the first one if none is named), or of `terms`."""
    body = BODIES[robot]
    task = "" if terms else task or next(iter(body.tasks))
    rules = Rules(body.score(**(terms or body.tasks[task])), healthy)
    return Benchmark(robot, horizon, rules, draw, task)


_ANT, _HOPPER = BODIES["ant"].healthy, BODIES["hopper"].healthy
_WALKER, _HUMANOID = BODIES["walker2d"].healthy, BODIES["humanoid"].healthy
_VELOCITY = {"progress": 1.0}  # C.4.2: a reward equal to the velocity


def _standing(effort: float, target: float) -> dict[str, float]:
    """Return the terms of Wang et al. for a robot that shall not fall."""
    return {"effort": effort, "alive": 1.0, "stand": 3.0, "target": target}


BENCHMARKS: Mapping[str, Benchmark] = MappingProxyType(
    {
        # Section 4.3, appendix A.2: the ant alone terminates.
        "me-trpo-swimmer": _row("swimmer", 200),
        "me-trpo-snake": _row("snake", 200),
        "me-trpo-hopper": _row("hopper", 100),
        "me-trpo-half-cheetah": _row("half_cheetah", 100),
        "me-trpo-ant": _row("ant", 100, healthy=_ANT),
        "me-trpo-humanoid": _row("humanoid", 100, task="stand"),
        # Section 5.5, appendix B.3: 200 steps; rewards are not printed there, so A.2's.
        "mb-mpo-swimmer": _row("swimmer", 200),
        "mb-mpo-hopper": _row("hopper", 200),
        "mb-mpo-half-cheetah": _row("half_cheetah", 200),
        "mb-mpo-walker2d": _row("walker2d", 200),
        "mb-mpo-ant": _row("ant", 200, healthy=_ANT),
        # Section 6.7, appendix C.4.2: velocity less control cost, or velocity.
        "promp-half-cheetah-fwd-back": _row("half_cheetah", 100, forward_or_backward),
        "promp-half-cheetah-rand-vel": _row("half_cheetah", 100, any_speed),
        "promp-ant-fwd-back": _row("ant", 100, forward_or_backward, healthy=_ANT),
        "promp-ant-rand-direc": _row("ant", 100, any_direction, healthy=_ANT),
        "promp-walker2d-fwd-back": _row("walker2d", 200, forward_or_backward, healthy=_WALKER),
        "promp-humanoid-fwd-back": _row(
            "humanoid", 200, forward_or_backward, "run", healthy=_HUMANOID
        ),
        "promp-humanoid-rand-direc": _row("humanoid", 200, any_direction, "run", healthy=_HUMANOID),
        "promp-hopper-rand-params": _row(
            "hopper", 200, random_parameters, healthy=_HOPPER, terms=_VELOCITY
        ),
        "promp-walker2d-rand-params": _row(
            "walker2d", 200, random_parameters, healthy=_WALKER, terms=_VELOCITY
        ),
        # Wang et al. 2019, "Benchmarking model-based reinforcement learning": 1000 steps, no end.
        "mbbl-half-cheetah": _row("half_cheetah", 1000, terms={"effort": 0.1}),
        "mbbl-swimmer": _row("swimmer", 1000, terms={"effort": 0.0001}),
        "mbbl-hopper": _row("hopper", 1000, terms=_standing(0.1, 1.3)),
        "mbbl-walker2d": _row("walker2d", 1000, terms=_standing(0.1, 1.3)),
        "mbbl-ant": _row("ant", 1000, terms=_standing(0.1, 0.57)),
        # Hiraoka et al., section A.5: a task lasts about 15 s, and an episode two or three tasks.
        "m3po-half-cheetah-fwd-bwd": _row("half_cheetah", 900, ChangingDirection(0.05, 900)),
        "m3po-half-cheetah-pier": _row("half_cheetah", 900, any_pier),
        "m3po-ant-fwd-bwd": _row("ant", 900, ChangingDirection(0.05, 900), healthy=_ANT),
        "m3po-ant-crippled-leg": _row("ant", 900, changing_leg(0.05, 900), healthy=_ANT),
        "m3po-walker2d-rand-params": _row(
            "walker2d", 3750, changing_load(0.008, 3750), healthy=_WALKER
        ),
        "m3po-humanoid-direc": _row(
            "humanoid", 2000, ChangingDirection(0.015, 2000), "run", healthy=_HUMANOID
        ),
        # Wang and van Hoof, table 3; no end. A slim humanoid is one without contact forces in its
        # observation, as all of the table. Table 3 divides 50/3 of the step forward by the period,
        # once more than the benchmark of 2019, whose weight 0.25 of the speed is 50/3 of the step.
        "gssm-half-cheetah": _row("half_cheetah", 1000, mass_and_damping, terms={"effort": 0.1}),
        "gssm-slim-humanoid": _row(
            "humanoid",
            1000,
            mass_and_damping,
            terms={"progress": 50 / 3, "effort": 0.1, "upright": 5.0},
        ),
    }
)


def benchmark_of(name: str) -> Benchmark:
    """Return the environment called `name`. Raises UserError."""
    choose("environment", name, BENCHMARKS)
    return BENCHMARKS[name]


def make_benchmark(
    name: str,
    situations: Sequence[Situation],
    seeds: Sequence[int],
    threads: int = 1,
    models: Models | None = None,
) -> SimulatedRobots:
    """Make the robots of an environment, one for each situation and seed.

    Args:
        name: a row of `BENCHMARKS`.
        situations: (N,), usually drawn by the row's `draw`.
        seeds: (N,), of each one's start.
        threads: of the physics.
        models: of this robot, if other environments share them.

    Raises:
        UserError: there is no such environment, or its robot cannot have the situation.
    """
    from ros_mbmrl.simulation.models import models_of  # the table needs no MuJoCo
    from ros_mbmrl.simulation.simulated_robots import SimulatedRobots

    row = benchmark_of(name)
    return SimulatedRobots(models or models_of(row.robot), situations, seeds, threads, row.rules)
