"""A slider: a robot and an environment small enough to learn in seconds, with a stationary task."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from torch import Tensor

from ros_mbmrl.policies.sampling import Tasks
from ros_mbmrl.robots.quantities import Limit, Quantity
from ros_mbmrl.robots.spec import Array, Envelope, Robot, RobotSpec
from ros_mbmrl.robots.task import Task
from ros_mbmrl.simulation.environment import Flags, Observation, Transition, observe, rows_of

STATE = (Quantity("x", "m"), Quantity("v", "m/s"))
SLIDER = RobotSpec(
    name="slider",
    period=0.1,
    measurement=STATE,
    channels=("joint_states.position.0", "joint_states.velocity.0"),
    state=STATE,
    action=(Limit("force", "1", -1.0, 1.0, 100.0),),
    features=("x", "v"),
    changes=STATE,
    change_weights=(1.0, 1.0),
    envelope=Envelope(0.25, 0.25, 25.0),
)


class Park:
    """Be at x = 1, with little force."""

    batched = stationary = True

    def reference(self, state: Array) -> Tensor:
        return torch.zeros(0)

    def cost(self, states: Tensor, actions: Tensor, reference: Tensor) -> Tensor:
        away = (states[..., 1:, 0] - 1.0).square().sum(-1)
        return away + 0.01 * actions.square().sum((-2, -1))


class Slider(Robot):
    spec = SLIDER

    def estimate(self, measurement: Array, previous: Array | None, dt: float) -> Array:
        return measurement.copy()

    def features(self, state: Tensor) -> Tensor:
        return state

    def difference(self, state: Tensor, next_state: Tensor) -> Tensor:
        return next_state - state

    def advance(self, state: Tensor, change: Tensor) -> Tensor:
        return state + change

    def tasks(self) -> Sequence[str]:
        return ("park",)

    def make_task(self, name: str, start: Array) -> Task:
        return Park()


class SliderEnvironment:
    """N sliders from x in [-1, 1]: v = .8 v + .4 force, x = x + .1 v + .05 sin(3 x)."""

    def __init__(self, situations: Sequence[None], seeds: Sequence[int]) -> None:
        count = len(situations)
        self.robot, self.goals = Slider(), np.zeros((count, 0))
        self.rows, self.times = np.zeros((count, 2)), np.zeros(count)
        self.reset(np.ones(count, dtype=bool), situations, seeds)

    def __len__(self) -> int:
        return len(self.rows)

    def states(self) -> Array:
        return self.rows.copy()

    def observe(self) -> Observation:
        return observe(self.robot, self.rows, self.goals)

    def tasks(self) -> list[Task]:
        return [Park() for _ in range(len(self))]

    def step(self, actions: Array) -> Transition:
        x, v = self.rows.T
        v = 0.8 * v + 0.4 * actions[:, 0]
        x = x + 0.1 * v + 0.05 * np.sin(3 * x)
        self.rows, self.times = np.stack([x, v], axis=1), self.times + 0.1
        rewards = -((x - 1.0) ** 2) - 0.01 * actions[:, 0] ** 2
        never = np.zeros(len(self), dtype=bool)
        return Transition(self.observe(), rewards, never, never)

    def reset(self, mask: Flags, situations: Sequence[None], seeds: Sequence[int]) -> None:
        rows = rows_of(mask, situations, seeds)
        begin = [np.random.default_rng(seed).uniform(-1, 1) for seed in seeds]
        self.rows[rows] = np.stack([begin, np.zeros(len(rows))], axis=1)
        self.times[rows] = 0.0


@pytest.fixture
def sliders() -> Tasks:
    """Sliders, all alike."""
    return Tasks(Slider(), lambda rng: None, SliderEnvironment)  # type: ignore[arg-type, return-value]
