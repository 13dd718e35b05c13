"""Rollouts of a random policy in many different worlds, in parallel and reproducibly.

What a robot's twin is, which robots are drawn and how they are excited is a `Source`, one a robot.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np

from ros_mbmrl.agents.chance import Policy, random_policy
from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.errors import UserError, choose
from ros_mbmrl.learning.mirror import mirrored
from ros_mbmrl.plants.base import Twin
from ros_mbmrl.plants.twin import TwinConfig, TwinPlant
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.estimator import StateEstimator
from ros_mbmrl.robots.measurement import Measurement
from ros_mbmrl.robots.spec import Array, Robot, RobotSpec
from ros_mbmrl.runtime.workers import outcomes
from ros_mbmrl.simulation.calibration import make_terrain
from ros_mbmrl.simulation.faults import NO_FAULT, Fault
from ros_mbmrl.simulation.hexapod_causes import BROKEN
from ros_mbmrl.simulation.randomisation import MILD, Physics

SHORTEST = 2  # transitions; less of a run is not worth keeping


class Sampler(Protocol):
    """Draws what differs from robot to robot."""

    def sample(self, rng: np.random.Generator) -> Any:
        """Draw one robot's physics."""


class Named(Protocol):
    """A fault, as far as collection is concerned."""

    @property
    def name(self) -> str:
        """Return its name in the tags."""


@dataclass(frozen=True)
class Source:
    """Source of a robot's rollouts.

    make(robot, terrain, fault, physics, seed): its twin. policy(spec, rng): what excites it.
    check(terrain): raises UserError for an unknown one. terrains, randomisation, faults: what is
    taken where nothing else is asked for. broken: robots for a model that learns causes.
    mirror(rollout): the same as a mirror shows it; None: the robot is not symmetric.
    """

    make: Callable[[Robot, str, Any, Any, int], Twin]
    policy: Callable[[RobotSpec, np.random.Generator], Policy]
    check: Callable[[str], object]
    terrains: tuple[str, ...]
    randomisation: Sampler
    faults: tuple[Named, ...]
    broken: Sampler
    mirror: Callable[[Rollout], Rollout] | None = None


# robot -> "module:object". Workers look it up by the robot's name: functions need not be sent.
SOURCES: Mapping[str, str] = MappingProxyType(
    {
        "hexapod": "ros_mbmrl.learning.twin_rollouts:HEXAPOD",
        "pr2_arm": "ros_mbmrl.learning.pr2_rollouts:PR2_ARM",
    }
)


def source_of(robot: str) -> Source:
    """Return the source of the robot called `robot`. Raises UserError if it has no twin."""
    choose("robot with a twin to collect on", robot, SOURCES)
    module, name = SOURCES[robot].split(":")
    source: Source = getattr(import_module(module), name)
    return source


def _walker(robot: Robot, terrain: str, fault: Fault, physics: Physics, seed: int) -> TwinPlant:
    return TwinPlant(robot, TwinConfig(terrain, (fault,), physics, seed))


HEXAPOD = Source(
    _walker, random_policy, make_terrain, ("carpet",), MILD, (NO_FAULT,), BROKEN, mirrored
)


@dataclass(frozen=True)
class Job:
    """One world and its run. seed: (seed of the collection, index of the job)."""

    robot: str
    terrain: str
    fault: Named
    randomisation: Sampler
    steps: int
    seed: tuple[int, int]


def collect_rollouts(
    robot: Robot,
    count: int,
    steps: int,
    terrains: Sequence[str] | None = None,
    randomisation: Sampler | None = None,
    seed: int = 0,
    processes: int = 2,
    progress: Callable[[int, int], None] | None = None,
    faults: Sequence[Named] | None = None,
    cluster: str = "",
) -> list[Rollout]:
    """Return `count` runs of `steps` transitions each, terrains and faults taken in turn.

    What is not given is the source's own choice. A run that tips over ends early and starts anew
    at the origin, so there can be more rollouts than runs; their transitions are count * steps,
    less remainders under 2. The result depends on the seed and not on where it is made:
    processes, cluster: see `workers.outcomes`.
    progress(done, total) is called after every run.
    Raises UserError for an unknown terrain or a count that is not positive.
    """
    source = source_of(robot.spec.name)
    terrains = source.terrains if terrains is None else terrains
    faults = source.faults if faults is None else faults
    if count < 1 or steps < SHORTEST or not terrains or not faults:
        raise UserError(
            f"expected a positive count, {SHORTEST} steps or more, a terrain and a fault; "
            f"got {count}, {steps}, {list(terrains)}, {list(faults)}"
        )
    for name in terrains:
        source.check(name)
    jobs = [
        Job(
            robot=robot.spec.name,
            terrain=terrains[index % len(terrains)],
            fault=faults[(index // len(terrains)) % len(faults)],
            randomisation=source.randomisation if randomisation is None else randomisation,
            steps=steps,
            seed=(seed, index),
        )
        for index in range(count)
    ]
    found: dict[int, list[Rollout]] = {}
    for number, rollouts in outcomes(run_job, jobs, processes, cluster):
        found[number] = rollouts
        if progress is not None:
            progress(len(found), count)
    return [rollout for number in range(count) for rollout in found[number]]


def run_job(job: Job) -> list[Rollout]:
    """Run one job; the same rollouts in whatever process."""
    entropy = np.random.SeedSequence(job.seed)
    policy_seed, physics_seed, world_seed = entropy.spawn(3)
    robot, source = make_robot(job.robot), source_of(job.robot)
    physics = job.randomisation.sample(np.random.default_rng(physics_seed))
    first = int(world_seed.generate_state(1)[0])
    plant = source.make(robot, job.terrain, job.fault, physics, first)
    policy = source.policy(robot.spec, np.random.default_rng(policy_seed))
    rollouts: list[Rollout] = []
    left, attempt = job.steps, 0
    while left > 0:
        if attempt > 0:
            plant.reset(first + attempt)
        session = f"twin-{job.seed[0]}-{job.seed[1]}"
        tags = {"terrain": job.terrain, "fault": job.fault.name, "session": session}
        rollout = run_once(robot, plant, policy, left, tags)
        left -= max(len(rollout), 1)
        attempt += 1
        if len(rollout) >= SHORTEST:
            rollouts.append(rollout)
    return rollouts


def run_once(
    robot: Robot, plant: Twin, policy: Policy, steps: int, tags: dict[str, str]
) -> Rollout:
    """Drive `plant` from where it is for `steps` control steps, or until it tips over."""
    estimator = StateEstimator(robot)
    measurement: Measurement = plant.observe()
    states, times = [estimator.update(measurement)], [measurement.time]
    actions: list[Array] = []
    told: list[tuple[Array, Array]] = []
    for _ in range(steps):
        action = policy()
        plant.command(action)
        told.append((plant.effectiveness(), plant.causes()))
        plant.advance(robot.spec.period)
        measurement = plant.observe()
        actions.append(action)
        states.append(estimator.update(measurement))
        times.append(measurement.time)
        if robot.tilt(states[-1]) > robot.spec.envelope.max_tilt:
            break
    effectiveness, causes = (np.array(each, dtype=np.float32) for each in zip(*told, strict=True))
    return Rollout(
        robot=robot.spec.name,
        states=np.array(states, dtype=np.float32),
        actions=np.array(actions, dtype=np.float32),
        times=np.array(times),
        marks=np.zeros(len(actions), dtype=np.uint8),
        tags=tags,
        effectiveness=effectiveness,
        causes=causes,
    )
