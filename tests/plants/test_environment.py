"""Twins side by side: what ends a row, and rewards by hand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from ros_mbmrl.errors import RunError
from ros_mbmrl.plants.environment import PlantEnvironment, Stage
from ros_mbmrl.robots.measurement import Measurement
from ros_mbmrl.robots.spec import Array, Robot


@dataclass(frozen=True)
class Slope:
    """A situation: so much faster every period, and where the physics break down."""

    pull: float = 0.0
    cliff: float = np.inf
    goal: float = 1.0
    duration: float = np.inf


class Cart:
    """A twin: drive is added to the speed; x moves by a tenth of it."""

    simulated = True
    made = 0

    def __init__(self, slope: Slope, seed: int) -> None:
        self.slope = slope
        Cart.made += 1
        self.reset(seed)

    def reset(self, seed: int) -> None:
        self.state, self.time = np.array([0.1 * seed, 0.0, 0.0, 0.0]), 0.0

    def observe(self) -> Measurement:
        if self.state[0] > self.slope.cliff:
            raise RunError("fell")
        return Measurement(self.time, self.state.copy())

    def command(self, action: Array) -> None:
        self.action = action

    def advance(self, duration: float) -> None:
        self.time += duration
        self.state[3] += self.action[0] + self.slope.pull
        self.state[0] += duration * self.state[3]


class Far:
    """A task: reward is x; done beyond the goal."""

    def __init__(self, goal: float) -> None:
        self.goal, self.finished = goal, False

    def reference(self, state: Array) -> Tensor:
        self.finished |= bool(state[0] > self.goal)
        return torch.zeros(1)

    def cost(self, states: Tensor, actions: Tensor, reference: Tensor) -> Tensor:
        return -states[:, 1:, 0].sum(1)


def carts(robot: Robot, *slopes: Slope) -> PlantEnvironment[Slope]:
    make: Any = Cart
    stage = Stage[Slope](
        robot,
        make,
        lambda slope: Far(slope.goal),
        lambda slope: np.array([slope.goal]),
        lambda slope: slope.duration,
    )
    return PlantEnvironment(stage, slopes, range(len(slopes)))


FULL = np.array([[1.0, 0.0], [1.0, 0.0]])


def test_rows_and_rewards_by_hand(robot: Robot) -> None:
    rows = carts(robot, Slope(), Slope(pull=1.0))
    assert rows.states()[:, 0] == pytest.approx([0.0, 0.1])
    first, second = rows.step(FULL), rows.step(FULL)
    # 1 and 2 m/s, then 2 and 4 m/s, 0.1 s each
    assert first.reward == pytest.approx([0.1, 0.3])
    assert second.reward == pytest.approx([0.3, 0.7])
    assert second.observation == pytest.approx(np.array([[2.0, 1.0], [4.0, 1.0]]))
    assert rows.times == pytest.approx([0.2, 0.2])
    assert not second.terminated.any() and not second.truncated.any()


def test_a_row_ends_when_physics_break_down_its_task_is_done_or_its_time_is_up(
    robot: Robot,
) -> None:
    rows = carts(robot, Slope(cliff=0.2), Slope(pull=1.0, goal=0.2, duration=0.3))
    ends = [rows.step(FULL) for _ in range(3)]
    assert [each.terminated.tolist() for each in ends] == [
        [False, False],
        [True, True],  # 0.3 m are beyond the cliff; the task was told of 0.3 m at the beginning
        [True, True],
    ]
    assert [each.truncated.tolist() for each in ends] == [[False, False]] * 3
    assert rows.states()[:, 0] == pytest.approx([0.1, 0.7])  # as it was, until it is reset
    one = carts(robot, Slope(duration=0.2))
    assert [bool(one.step(FULL[:1]).truncated[0]) for _ in range(3)] == [False, True, True]


def test_a_reset_leaves_the_others_alone_and_builds_only_what_is_new(robot: Robot) -> None:
    slopes = Slope(), Slope(pull=1.0, goal=0.2)
    rows, made = carts(robot, *slopes), Cart.made
    rows.step(FULL)
    rows.step(FULL)
    rows.reset(np.array([False, True]), slopes[1:], [3])
    assert Cart.made == made
    assert rows.times == pytest.approx([0.2, 0.0])
    assert rows.states()[:, 0] == pytest.approx([0.3, 0.3])
    rows.reset(np.array([False, True]), [replace(slopes[1], goal=5.0)], [3])
    assert Cart.made == made + 1
    assert rows.goals.tolist() == [[1.0], [5.0]]
    assert not rows.step(FULL).terminated.any()


def test_wrong_numbers_are_refused(robot: Robot) -> None:
    with pytest.raises(ValueError, match="a seed each"):
        PlantEnvironment(carts(robot, Slope())._stage, [Slope()], [])
    with pytest.raises(ValueError, match="within the limits"):
        carts(robot, Slope()).step(FULL)
