"""A point on a plane whose goal is the task: a robot and worlds that need no simulator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from torch import Tensor

from ros_mbmrl.policies.sampling import Tasks
from ros_mbmrl.robots.spec import Array, Envelope, Limit, Quantity, Robot, RobotSpec
from ros_mbmrl.robots.task import Task

STATE = (Quantity("x", "m"), Quantity("y", "m"))
SPEC = RobotSpec(
    name="point",
    period=0.1,
    measurement=STATE,
    channels=("odom.pose.pose.position.x", "odom.pose.pose.position.y"),
    state=STATE,
    action=tuple(Limit(name, "m/s", -2.0, 2.0, 100.0) for name in "xy"),
    features=("x", "y"),
    changes=STATE,
    change_weights=(1.0, 1.0),
    envelope=Envelope(0.25, 0.25, 25.0),
)


class PointRobot(Robot):
    spec = SPEC

    def estimate(self, measurement: Array, previous: Array | None, dt: float) -> Array:
        return measurement.copy()

    def features(self, state: Tensor) -> Tensor:
        return state

    def difference(self, state: Tensor, next_state: Tensor) -> Tensor:
        return next_state - state

    def advance(self, state: Tensor, change: Tensor) -> Tensor:
        return state + change

    def tasks(self) -> Sequence[str]:
        return ()

    def make_task(self, name: str, start: Array) -> Task:
        raise NotImplementedError


class PointWorlds:
    """N points at the origin, each rewarded by how near it is to its goal."""

    def __init__(self, goals: Sequence[Array], seeds: Sequence[int]) -> None:
        assert len(goals) == len(seeds)
        self.robot = PointRobot()
        self.targets, self.positions = np.array(goals), np.zeros((len(goals), 2))
        self.situations, self.goals, self.time = tuple(goals), np.zeros((len(goals), 0)), 0.0

    def __len__(self) -> int:
        return len(self.targets)

    def measurements(self) -> Array:
        return self.positions.copy()

    def states(self) -> Array:
        return self.positions.copy()

    def step(self, actions: Array) -> Array:
        assert (np.abs(actions) <= 2.0).all()
        self.positions += 0.1 * actions
        self.time += 0.1
        return -np.linalg.norm(self.positions - self.targets, axis=1)


def draw_goal(rng: np.random.Generator) -> Any:
    """On a circle of radius 1."""
    angle = rng.uniform(-np.pi, np.pi)
    return np.array([np.cos(angle), np.sin(angle)])


@pytest.fixture
def point_tasks() -> Tasks:
    """Goals all round."""
    return Tasks(PointRobot(), draw_goal, PointWorlds)  # type: ignore[arg-type]


@pytest.fixture
def one_goal() -> Tasks:
    """The same goal always: nothing to adapt to."""
    return Tasks(PointRobot(), lambda _: np.array([1.0, 0.5]), PointWorlds)  # type: ignore
