"""`python -m wheeled.collect OUT`: data of the twin to train and to tune on, under a minute."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import tyro
from ros_mbmrl.agents.chance import random_policy
from ros_mbmrl.data import dataset
from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.estimator import StateEstimator
from ros_mbmrl.robots.spec import Robot
from tyro.conf import Positional

from wheeled.twin import FAULTS, FLOORS, Body, WheeledTwin

TUNED_ON = ("right_tyre_worn", "payload_small")


@dataclass(frozen=True)
class Collect:
    """Writes OUT/random, every run on another base, and OUT/faults, to choose settings on."""

    out: Positional[Path]
    """Folder of the two data sets."""
    runs: int = 80
    """Of the random policy."""
    steps: int = 150
    """Of each run, 0.1 s each."""
    seed: int = 0
    """Seed of everything random."""


def random_body(rng: np.random.Generator) -> Body:
    """A base that differs: on one base alone there would be nothing to adapt to."""
    left, right = rng.uniform(0.75, 1.2, 2)
    return Body(left, right, payload=rng.uniform(0.01, 3.0), drag=rng.uniform(0.5, 8.0))


def drive(twin: WheeledTwin, robot: Robot, steps: int, rng: np.random.Generator) -> Rollout:
    """A run of the random policy."""
    policy, estimator = random_policy(robot.spec, rng), StateEstimator(robot)
    seen, actions = [twin.observe()], []
    for _ in range(steps):
        actions.append(policy())
        twin.command(actions[-1])
        twin.advance(robot.spec.period)
        seen.append(twin.observe())
    return Rollout(
        robot=robot.spec.name,
        states=np.array([estimator.update(each) for each in seen], dtype=np.float32),
        actions=np.array(actions, dtype=np.float32),
        times=np.array([each.time for each in seen]),
        marks=np.zeros(steps, dtype=np.uint8),
    )


def collect(
    robot: Robot, bodies: Sequence[tuple[str, Body]], steps: int, seed: int
) -> list[Rollout]:
    """A run of `steps` transitions for each (fault, body), on carpet and tiles by turns."""
    rollouts = []
    for k, (fault, body) in enumerate(bodies):
        rng = np.random.default_rng([seed, k])
        floor = sorted(FLOORS)[k % len(FLOORS)]
        with WheeledTwin(robot, body, friction=FLOORS[floor], seed=k) as twin:
            rollout = drive(twin, robot, steps, rng)
        tags = {"terrain": floor, "fault": fault, "session": f"twin-{seed}-{k}"}
        rollouts.append(replace(rollout, tags=tags))
    return rollouts


def main() -> None:
    """Entry point."""
    arguments = tyro.cli(Collect)
    robot, rng = make_robot("wheeled"), np.random.default_rng(arguments.seed)
    bodies = [("none", random_body(rng)) for _ in range(arguments.runs)]
    faulty = [(name, FAULTS[name]) for name in TUNED_ON for _ in range(8)]
    for name, several, seed in (
        ("random", bodies, arguments.seed),
        ("faults", faulty, arguments.seed + 1),
    ):
        rollouts = collect(robot, several, arguments.steps, seed)
        dataset.save(arguments.out / name, rollouts)
        print(f"{arguments.out / name}: {sum(map(len, rollouts))} transitions")


if __name__ == "__main__":
    main()
