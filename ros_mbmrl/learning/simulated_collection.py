"""Data for Algorithm 9 from simulated robots, of the thesis's section 9.4 or of files, in batches.

As the studies gather theirs at the scale `small`: random actions first, then Algorithm 10 with the
model so far, every robot in a situation drawn anew from a training distribution.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from ros_mbmrl.agents.base import Agent
from ros_mbmrl.agents.chance import RandomAgent
from ros_mbmrl.agents.model import ModelAgent
from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.dynamics.files import LoadedModel
from ros_mbmrl.learning.batch_collection import collect
from ros_mbmrl.learning.sizes import PLANNERS, SMALL
from ros_mbmrl.robots.described.known import described
from ros_mbmrl.robots.paths import make_path
from ros_mbmrl.robots.spec import Robot
from ros_mbmrl.simulation.benchmarks import BENCHMARKS
from ros_mbmrl.simulation.described_draws import NAMES as DESCRIBED
from ros_mbmrl.simulation.described_draws import draw_described, draw_failing
from ros_mbmrl.simulation.distributions import (
    ROBOTS,
    TRAINING,
    TRAINING_SEEDS,
    VALIDATION,
    VALIDATION_SEEDS,
    Draw,
    DrawFor,
    draw_seed,
)
from ros_mbmrl.simulation.simulated_robots import make_simulated
from ros_mbmrl.simulation.situations import Situation

VALIDATION_RUNS = 8  # of each validation situation

Told = Callable[[int, int], None]  # how much is gathered, of how much
Named = tuple[str, Situation]  # and what it is called in the tags


@dataclass(frozen=True)
class SimulatedConfig:
    """Situations of simulated robots, and how many robots for how long.

    situations: names in `distributions.py` or `benchmarks.py`, in turn. runs: robots of the random
    policy; rounds: after that, of `episodes` robots each. steps: of every run.
    """

    situations: tuple[str, ...]
    runs: int = SMALL.random_runs
    steps: int = SMALL.steps
    rounds: int = SMALL.rounds
    episodes: int = SMALL.runs

    def __post_init__(self) -> None:
        counts = self.runs, self.steps, self.episodes, len(self.situations)
        if min(counts) < 1 or self.rounds < 0:
            raise ValueError(
                "runs, steps, episodes, situations: expected at least 1; rounds: at least 0"
            )


def random_rollouts(
    robot: Robot, config: SimulatedConfig, seed: int, told: Told | None = None
) -> list[Rollout]:
    """Return rollouts of random actions: Algorithm 9, line 5, while there is no model."""
    rng = np.random.default_rng([seed, 0])
    drawn = _training(robot, config, config.runs, rng)
    agent = RandomAgent(config.steps)
    return _run(robot, agent, config, drawn, rng, TRAINING_SEEDS, f"random-{seed}", told)


def follow(
    robot: Robot,
    loaded: LoadedModel,
    config: SimulatedConfig,
    seed: int,
    told: Told | None = None,
) -> list[Rollout]:
    """Return rollouts of Algorithm 10 with the model as it stands: line 5."""
    rng = np.random.default_rng([seed, 1])
    drawn = _training(robot, config, config.episodes, rng)
    agent = ModelAgent(loaded, planning=PLANNERS[robot.planner], controller=robot.planner)
    return _run(robot, agent, config, drawn, rng, TRAINING_SEEDS, f"policy-{seed}", told)


def validation_rollouts(robot: Robot, config: SimulatedConfig, seed: int) -> list[Rollout]:
    """Return rollouts of random actions in validation situations: to choose settings on."""
    rng = np.random.default_rng([seed, 2])
    seconds = config.steps * robot.spec.period
    drawn = [
        (name, draw(rng, seconds))
        for each in config.situations
        for name, draw in _validation(robot.spec.name, each).items()
        for _ in range(VALIDATION_RUNS)
    ]
    agent = RandomAgent(config.steps)
    return _run(robot, agent, config, drawn, rng, VALIDATION_SEEDS, f"validation-{seed}")


def situations_for(robot: str) -> tuple[str, ...]:
    """Return the names of the distributions that a robot's situations can be drawn from."""
    if robot in described():
        return DESCRIBED
    benchmarks = (name for name, row in BENCHMARKS.items() if row.robot == robot)
    return (*(name for name, of in ROBOTS.items() if of == robot), *benchmarks)


def _draw(robot: str, name: str) -> Draw:
    if robot in described():
        return partial(draw_described, robot, name)
    return TRAINING[name] if name in TRAINING else BENCHMARKS[name].draw


def _validation(robot: str, name: str) -> Mapping[str, DrawFor]:
    """Return what to draw from; of a benchmark the same distribution, with other draws."""
    if robot in described():
        return {"failing": partial(draw_failing, robot)}
    if name in VALIDATION:
        return VALIDATION[name]
    return {name: lambda rng, seconds: BENCHMARKS[name].draw(rng)}


def _training(
    robot: Robot, config: SimulatedConfig, count: int, rng: np.random.Generator
) -> list[Named]:
    names = (config.situations[n % len(config.situations)] for n in range(count))
    return [(name, _draw(robot.spec.name, name)(rng)) for name in names]


def _paths(robot: Robot, count: int) -> list[str]:
    """Return the path of each robot; empty: it has another task, its environment's."""
    if robot.spec.name not in described() or not robot.follows_paths:
        return [""] * count
    known = sorted(robot.tasks())
    return [known[n % len(known)] for n in range(count)]


def _run(
    robot: Robot,
    agent: Agent,
    config: SimulatedConfig,
    drawn: Sequence[Named],
    rng: np.random.Generator,
    among: tuple[int, int],
    session: str,
    told: Told | None = None,
) -> list[Rollout]:
    """Run all robots at once, with seeds of their own; the tag `condition` names the situation."""
    names, situations = zip(*drawn, strict=True)
    seeds = [draw_seed(rng, among) for _ in drawn]
    paths = _paths(robot, len(drawn))
    pairs = zip(situations, paths, strict=True)
    placed = [replace(each, start=make_path(path).start) if path else each for each, path in pairs]
    robots = make_simulated(robot.spec.name, placed, seeds)
    tasks = None
    if any(paths):
        starts = zip(paths, robots.states(), strict=True)
        tasks = [robot.make_task(path, state) for path, state in starts]
    rollouts = collect(robots, agent, config.steps, seeds, session, names, tasks)
    if told is not None:
        told(len(drawn), len(drawn))
    return rollouts
