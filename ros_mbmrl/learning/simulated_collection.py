"""Data for Algorithm 9 from the simulated robots of the thesis's section 9.4, a round in one batch.

As the studies gather theirs at the scale `small`: random actions first, then Algorithm 10 with the
model so far, every robot in a situation drawn anew from a training distribution.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ros_mbmrl.agents.base import Agent
from ros_mbmrl.agents.chance import RandomAgent
from ros_mbmrl.agents.model import ModelAgent
from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.dynamics.files import LoadedModel
from ros_mbmrl.episodes.batch import run_episodes
from ros_mbmrl.learning.batch_collection import rollouts_of
from ros_mbmrl.learning.sizes import PLANNER, SMALL
from ros_mbmrl.robots.spec import Robot
from ros_mbmrl.simulation.distributions import (
    TRAINING,
    TRAINING_SEEDS,
    VALIDATION,
    VALIDATION_SEEDS,
    draw_seed,
)
from ros_mbmrl.simulation.simulated_robots import make_simulated
from ros_mbmrl.simulation.situations import Situation

VALIDATION_RUNS = 8  # of each validation situation

Progress = Callable[[int, int], None]
Named = tuple[str, Situation]  # and what it is called in the tags


@dataclass(frozen=True)
class SimulatedConfig:
    """What simulated robots are put into, and how many of them for how long.

    situations: names of `simulation/distributions.py`, taken in turn. runs: robots of the random
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
    robot: Robot, config: SimulatedConfig, seed: int, progress: Progress | None = None
) -> list[Rollout]:
    """Algorithm 9, line 2: of random actions."""
    rng = np.random.default_rng([seed, 0])
    drawn = _training(config, config.runs, rng)
    agent = RandomAgent(config.steps)
    return _run(robot, agent, config, drawn, rng, TRAINING_SEEDS, f"random-{seed}", progress)


def follow(
    robot: Robot,
    loaded: LoadedModel,
    config: SimulatedConfig,
    seed: int,
    progress: Progress | None = None,
) -> list[Rollout]:
    """Line 5: of Algorithm 10 with the model as it stands."""
    rng = np.random.default_rng([seed, 1])
    drawn = _training(config, config.episodes, rng)
    agent = ModelAgent(loaded, planning=PLANNER)
    return _run(robot, agent, config, drawn, rng, TRAINING_SEEDS, f"policy-{seed}", progress)


def validation_rollouts(robot: Robot, config: SimulatedConfig, seed: int) -> list[Rollout]:
    """Of random actions in situations neither trained on nor tested: to choose settings on."""
    rng = np.random.default_rng([seed, 2])
    seconds = config.steps * robot.spec.period
    drawn = [
        (name, draw(rng, seconds))
        for each in config.situations
        for name, draw in VALIDATION[each].items()
        for _ in range(VALIDATION_RUNS)
    ]
    agent = RandomAgent(config.steps)
    return _run(robot, agent, config, drawn, rng, VALIDATION_SEEDS, f"validation-{seed}")


def _training(config: SimulatedConfig, count: int, rng: np.random.Generator) -> list[Named]:
    names = (config.situations[n % len(config.situations)] for n in range(count))
    return [(name, TRAINING[name](rng)) for name in names]


def _run(
    robot: Robot,
    agent: Agent,
    config: SimulatedConfig,
    drawn: Sequence[Named],
    rng: np.random.Generator,
    among: tuple[int, int],
    session: str,
    progress: Progress | None = None,
) -> list[Rollout]:
    """All robots at once, with seeds of their own; the situation's name is the tag `condition`."""
    names, situations = zip(*drawn, strict=True)
    seeds = [draw_seed(rng, among) for _ in drawn]
    worlds = make_simulated(robot.spec.name, situations, seeds)
    episodes = run_episodes(worlds, agent, config.steps, seeds)
    if progress is not None:
        progress(len(drawn), len(drawn))
    return rollouts_of(worlds, episodes, session, names)
