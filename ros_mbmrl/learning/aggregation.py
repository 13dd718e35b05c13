"""Data for Algorithm 9 from the twin: random actions first, then rounds of Algorithm 10."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from ros_mbmrl.control import Step
from ros_mbmrl.data import dataset
from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.dynamics.files import LoadedModel
from ros_mbmrl.episodes.arm import Reaching, run_reach
from ros_mbmrl.episodes.hexapod import run_episode
from ros_mbmrl.episodes.scenario import Scenario
from ros_mbmrl.errors import UserError, choose
from ros_mbmrl.learning.simulated_collection import (
    SimulatedConfig,
    Told,
    follow,
    random_rollouts,
    situations_for,
    validation_rollouts,
)
from ros_mbmrl.learning.twin_rollouts import (
    SHORTEST,
    Named,
    Sampler,
    collect_rollouts,
    source_of,
)
from ros_mbmrl.robots.described.known import described
from ros_mbmrl.robots.paths import PATHS
from ros_mbmrl.robots.spec import Robot
from ros_mbmrl.runtime.kept import keep
from ros_mbmrl.simulation import pr2_faults
from ros_mbmrl.simulation.faults import VALIDATION_FAULTS, Fault
from ros_mbmrl.simulation.situations import POSSIBLE


@dataclass(frozen=True)
class CollectConfig:
    """runs, steps: of the random policy. rounds, episodes, duration [s]: on-policy, each round.

    cluster: where runs of the random policy are made, see `workers.outcomes`. broken: for a model
    that learns causes: every robot is broken in some way, and is mirrored where it can be.
    """

    terrains: tuple[str, ...] = ("carpet", "styrofoam", "turf")
    runs: int = 120
    steps: int = 250
    rounds: int = 1
    episodes: int = 48
    duration: float = 20.0
    cluster: str = ""
    broken: bool = False

    def __post_init__(self) -> None:
        if min(self.runs, self.steps, self.episodes) < 1 or self.rounds < 0 or not self.terrains:
            raise ValueError("runs, steps, episodes: expected at least 1; terrains: at least one")


Config = CollectConfig | SimulatedConfig
Followed = tuple[Sequence[Step], str, Any]  # steps, terrain and physics of an episode


@dataclass(frozen=True)
class Collection:
    """The data sets of Algorithm 9 from a robot's twin; one that is there is not gathered again.

    Attributes:
        robot: one with a twin.
        config: of what is gathered.
        folder: of the data sets.
        seed: of everything random.
        progress: told what is gathered, how much of it there is, and how much there will be.
    """

    robot: Robot
    config: Config
    folder: Path
    seed: int
    progress: Callable[[str, int, int], None]

    def __post_init__(self) -> None:
        """Raise UserError for a folder that was gathered with another configuration or seed."""
        facts = {**asdict(self.config), "robot": self.robot.spec.name, "seed": self.seed}
        left_out = {"rounds", "cluster", *(() if facts.get("broken") else ("broken",))}
        wanted = {k: v for k, v in facts.items() if k not in left_out}
        keep(self.folder, wanted, "collection")

    @property
    def paths(self) -> list[Path]:
        """Return the data sets: of random actions, then of each round."""
        rounds = (f"round-{k + 1}" for k in range(self.config.rounds))
        return [self.folder / name for name in ("random", *rounds)]

    @property
    def fits(self) -> list[int]:
        """Return the rounds whose models are needed: to gather the next one with, or to keep."""
        missing = [k for k, path in enumerate(self.paths[1:]) if not path.exists()]
        return [*missing, self.config.rounds]

    def gather(self, k: int, model: LoadedModel | None) -> list[Rollout]:
        """Return the rollouts of round k; they follow the model from round 1 on."""
        path, practice = self.paths[k], practice_of(self.robot)
        if not path.exists():
            told = partial(self.progress, f"on-policy round {k}" if k else "random policy")
            own = (self.robot, model) if k else (self.robot,)
            collect = practice.on_policy if k else practice.random
            dataset.save(path, collect(*own, self.config, self.seed + k, told))
        return dataset.load([path])

    def validation(self) -> Path:
        """Return a data set to tune on: faults or situations neither trained on nor tested."""
        path, practice = self.folder / "validation", practice_of(self.robot)
        if not path.exists():
            dataset.save(path, practice.validation(self.robot, self.config, self.seed))
        return path


def collect_random(
    robot: Robot, config: CollectConfig, seed: int, told: Told | None = None
) -> list[Rollout]:
    """Return rollouts of the random policy, every one on another robot."""
    own = (robot, config.runs, config.steps, config.terrains, _sampler(robot, config))
    found = collect_rollouts(*own, seed=seed, progress=told, cluster=config.cluster)
    return _with_mirrored(robot, config, found)


def _sampler(robot: Robot, config: CollectConfig) -> Sampler:
    """Return what draws the robots of a collection."""
    source = source_of(robot.spec.name)
    return source.broken if config.broken else source.randomisation


def _with_mirrored(robot: Robot, config: CollectConfig, rollouts: list[Rollout]) -> list[Rollout]:
    """Return rollouts, and the same mirrored if the collection is for causes."""
    mirror = source_of(robot.spec.name).mirror
    if mirror is None or not config.broken:
        return rollouts
    return [*rollouts, *(mirror(rollout) for rollout in rollouts)]


def collect_faults(robot: Robot, config: CollectConfig, seed: int) -> list[Rollout]:
    """Return random-policy rollouts of robots with a fault, to choose test-time settings on."""
    faults = practice_of(robot).faults
    count = 4 * len(faults)
    # Another seed than the training runs': not one robot is seen twice.
    return collect_rollouts(
        robot, count, config.steps, seed=seed + 100, faults=faults, cluster=config.cluster
    )


def collect_on_policy(
    robot: Robot, loaded: LoadedModel, config: CollectConfig, seed: int, told: Told | None = None
) -> list[Rollout]:
    """Return rollouts of Algorithm 10 with the model as it stands, along paths: line 5."""
    paths = sorted(PATHS)

    def along(k: int, rng: np.random.Generator) -> Followed:
        scenario = Scenario(
            path=paths[k % len(paths)],
            terrain=config.terrains[k % len(config.terrains)],
            physics=_sampler(robot, config).sample(rng),
            duration=config.duration,
            seed=int(rng.integers(2**31)),
        )
        return run_episode(robot, loaded, scenario).steps, scenario.terrain, scenario.physics

    return _followed(robot, config, seed, told, along)


def reach_on_policy(
    robot: Robot, loaded: LoadedModel, config: CollectConfig, seed: int, told: Told | None = None
) -> list[Rollout]:
    """Return the same of an arm: towards random goals."""

    def towards(k: int, rng: np.random.Generator) -> Followed:
        # Seeds that no evaluation gets to: those are counted from 0.
        what = Reaching(
            seed=int(rng.integers(2**30, 2**31)),
            physics=_sampler(robot, config).sample(rng),
            duration=config.duration,
        )
        return run_reach(robot, loaded, what).steps, config.terrains[0], what.physics

    return _followed(robot, config, seed, told, towards)


def _followed(
    robot: Robot,
    config: CollectConfig,
    seed: int,
    told: Told | None,
    episode: Callable[[int, np.random.Generator], Followed],
) -> list[Rollout]:
    """Return the transitions of episodes as the model saw them: with the commands that were sent.

    episode: steps, terrain and physics of the k-th one.
    """
    rng, rollouts, source = np.random.default_rng(seed), [], source_of(robot.spec.name)
    for k in range(config.episodes):
        steps, terrain, physics = episode(k, rng)
        twin, length = source.make(robot, terrain, source.faults[0], physics, 0), len(steps) - 1
        rollout = Rollout(
            robot=robot.spec.name,
            states=np.array([s.state for s in steps], dtype=np.float32),
            actions=np.array([s.checked.action for s in steps[:-1]], dtype=np.float32),
            times=np.array([s.measurement.time for s in steps]),
            marks=np.zeros(length, dtype=np.uint8),
            tags={"terrain": terrain, "fault": "none", "session": f"policy-{seed}-{k}"},
            # Nothing breaks on the way.
            effectiveness=np.tile(twin.effectiveness(), (length, 1)).astype(np.float32),
            causes=np.tile(twin.causes(), (length, 1)).astype(np.float32),
        )
        rollouts.append(rollout)
        if told is not None:
            told(k + 1, config.episodes)
    found = [rollout for rollout in rollouts if len(rollout) >= SHORTEST]
    return _with_mirrored(robot, config, found)


@dataclass(frozen=True)
class Practice:
    """Data that a robot gathers to learn from.

    random, on_policy: what gathers the runs of Algorithm 9. validation: what gathers those that
    test-time settings are tuned on, with `faults`, or in situations of their own.
    """

    config: Config
    on_policy: Callable[..., list[Rollout]]
    faults: tuple[Named, ...] = ()
    random: Callable[..., list[Rollout]] = collect_random
    validation: Callable[..., list[Rollout]] = collect_faults


def _simulated(*situations: str) -> Practice:
    config = SimulatedConfig(situations)
    return Practice(config, follow, random=random_rollouts, validation=validation_rollouts)


def _hand(situations: str) -> Practice:
    """Return 100 trajectories of 100 steps, as many as the thesis takes in section 8.4.5."""
    own = _simulated(situations)
    config = SimulatedConfig((situations,), runs=20, steps=100, rounds=5, episodes=16)
    return replace(own, config=config)


PRACTICE: Mapping[str, Practice] = MappingProxyType(
    {
        "hexapod": Practice(
            CollectConfig(), collect_on_policy, tuple(Fault(name) for name in VALIDATION_FAULTS)
        ),
        "pr2_arm": Practice(
            CollectConfig(terrains=("bench",), runs=150, steps=250, episodes=60, duration=8.0),
            reach_on_policy,
            tuple(pr2_faults.ArmFault(name) for name in pr2_faults.VALIDATION_FAULTS),
        ),
        "half_cheetah": _simulated("cheetah-disabled"),
        "ant": _simulated("ant-crippled"),
        "arm_7dof": _simulated("arm-force"),
        "pr2_reach": _hand("pr2-reach"),
        "pr2_insertion": _hand("pr2-insertion"),
        "pr2_stacking": _hand("pr2-stacking"),
        "swimmer": _simulated("me-trpo-swimmer"),
        "snake": _simulated("me-trpo-snake"),
        "hopper": _simulated("me-trpo-hopper"),
        "walker2d": _simulated("mb-mpo-walker2d"),
        "humanoid": _simulated("me-trpo-humanoid"),
    }
)


def practice_of(robot: Robot) -> Practice:
    """Return the practice of `robot`. Raises UserError if it has no twin."""
    if robot.spec.name in described() and robot.spec.name in POSSIBLE:
        return _simulated(*situations_for(robot.spec.name))
    choose("robot with a twin to collect on", robot.spec.name, PRACTICE)
    return PRACTICE[robot.spec.name]


def configured(
    robot: Robot,
    rounds: int,
    cluster: str = "",
    situations: Sequence[str] = (),
    causes: bool = False,
) -> Config:
    """Return the settings of gathering with `robot`. Raises UserError for what it cannot.

    situations: names of training distributions, of a simulated robot; its own if there are none.
    causes: whether the data are for a model that learns causes.
    """
    config, name = practice_of(robot).config, robot.spec.name
    if rounds < 0:
        raise UserError(f"rounds: expected at least 0, got {rounds}")
    if isinstance(config, CollectConfig):
        if situations:
            raise UserError(f"situations: robot '{name}' has none to choose from, expected none")
        return replace(config, rounds=rounds, cluster=cluster, broken=causes)
    if cluster:
        raise UserError(f"cluster: runs of robot '{name}' are one batch here, expected none")
    for each in situations:
        choose(f"situations of robot '{name}'", each, situations_for(name))
    return replace(config, rounds=rounds, situations=tuple(situations) or config.situations)
