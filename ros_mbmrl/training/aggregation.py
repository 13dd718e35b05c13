"""Data for Algorithm 9 from the twin: random actions first, then rounds of Algorithm 10."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from ros_mbmrl.data import dataset
from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.dynamics.files import LoadedModel
from ros_mbmrl.evaluation.closed_loop import Episode, Scenario, run_episode
from ros_mbmrl.evaluation.experiments import VALIDATION_FAULTS
from ros_mbmrl.robots.paths import PATHS
from ros_mbmrl.robots.spec import Robot
from ros_mbmrl.twin.collect import collect_rollouts
from ros_mbmrl.twin.faults import Fault
from ros_mbmrl.twin.randomisation import MILD, Randomisation


@dataclass(frozen=True)
class CollectConfig:
    """runs, steps: of the random policy. rounds, episodes, duration [s]: on-policy, each round."""

    terrains: tuple[str, ...] = ("carpet", "styrofoam", "turf")
    runs: int = 120
    steps: int = 250
    rounds: int = 1
    episodes: int = 48
    duration: float = 20.0

    def __post_init__(self) -> None:
        if min(self.runs, self.steps, self.episodes) < 1 or self.rounds < 0 or not self.terrains:
            raise ValueError("runs, steps, episodes: expected at least 1; terrains: at least one")


def aggregate(
    robot: Robot,
    config: CollectConfig,
    folder: Path,
    seed: int,
    fit: Callable[[Sequence[Path], int], LoadedModel],
    progress: Callable[[str, int, int], None],
) -> list[Path]:
    """Algorithm 9, lines 2 to 7: data sets under `folder`, each gathered with the model before it.

    A data set that is there already is not gathered again. `fit` trains on the data sets so far
    and is called once a round; the model to keep is fitted by the caller, on all of them.
    """
    paths = [folder / "random"]
    if not paths[0].exists():
        rollouts = collect_random(robot, config, seed, partial(progress, "random policy"))
        dataset.save(paths[0], rollouts)
    for k in range(config.rounds):
        path = folder / f"round-{k + 1}"
        if not path.exists():
            loaded = fit(paths, k)
            told = partial(progress, f"on-policy round {k + 1}")
            dataset.save(path, collect_on_policy(robot, loaded, config, seed + 1 + k, told))
        paths.append(path)
    return paths


def collect_random(
    robot: Robot,
    config: CollectConfig,
    seed: int,
    progress: Callable[[int, int], None] | None = None,
    randomisation: Randomisation = MILD,
) -> list[Rollout]:
    """Rollouts of the random policy, every one on another robot."""
    return collect_rollouts(
        robot, config.runs, config.steps, config.terrains, randomisation, seed, 2, progress
    )


def collect_faults(robot: Robot, config: CollectConfig, seed: int) -> list[Rollout]:
    """Random-policy rollouts of robots with a fault, to choose test-time settings on."""
    faults = tuple(Fault(name) for name in VALIDATION_FAULTS)
    count = 4 * len(faults)
    # Another seed than the training runs': not one robot is seen twice.
    return collect_rollouts(
        robot, count, config.steps, ("carpet",), MILD, seed + 100, 2, faults=faults
    )


def collect_on_policy(
    robot: Robot,
    loaded: LoadedModel,
    config: CollectConfig,
    seed: int,
    progress: Callable[[int, int], None] | None = None,
    randomisation: Randomisation = MILD,
) -> list[Rollout]:
    """Algorithm 9, line 5: rollouts of Algorithm 10 with the model as it stands."""
    rng = np.random.default_rng(seed)
    paths, rollouts = sorted(PATHS), []
    for k in range(config.episodes):
        scenario = Scenario(
            path=paths[k % len(paths)],
            terrain=config.terrains[k % len(config.terrains)],
            physics=randomisation.sample(rng),
            duration=config.duration,
            seed=int(rng.integers(2**31)),
        )
        episode = run_episode(robot, loaded, scenario)
        rollouts.append(to_rollout(robot, episode, scenario, f"policy-{seed}-{k}"))
        if progress is not None:
            progress(k + 1, config.episodes)
    return [rollout for rollout in rollouts if len(rollout) >= 2]


def to_rollout(robot: Robot, episode: Episode, scenario: Scenario, session: str) -> Rollout:
    """The transitions of an episode, as the model saw them: with the command that was sent."""
    steps = episode.steps
    return Rollout(
        robot=robot.spec.name,
        states=np.array([s.state for s in steps], dtype=np.float32),
        actions=np.array([s.checked.action for s in steps[:-1]], dtype=np.float32),
        times=np.array([s.measurement.time for s in steps]),
        marks=np.zeros(len(steps) - 1, dtype=np.uint8),
        tags={"terrain": scenario.terrain, "fault": scenario.fault.name, "session": session},
    )
