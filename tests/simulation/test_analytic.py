"""The part that environments of analytic physics share, on a robot that counts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from ros_mbmrl.robots.point import PointRobot
from ros_mbmrl.robots.spec import Array
from ros_mbmrl.simulation.analytic import AnalyticRobots
from ros_mbmrl.simulation.environment import Flags
from ros_mbmrl.simulation.situations import Situation


class Walkers(AnalyticRobots):
    """Points that begin at their seed and end beyond x = 10."""

    def __init__(self, seeds: Sequence[int]) -> None:
        super().__init__(PointRobot("walker", 0.1, True), 3, [Situation()] * len(seeds), seeds)

    def _begin(self, row: int, situation: Situation, rng: np.random.Generator) -> Array:
        return np.array([float(row), rng.uniform()])

    def _moved(self, states: Array, commands: Array) -> Array:
        return states + commands

    def _ended(self, states: Array) -> Flags:
        return states[:, 0] > 10.0


def test_rows_move_pay_end_and_rest() -> None:
    walkers = Walkers([1, 2])
    drawn = [np.random.default_rng(seed).uniform() for seed in (1, 2)]
    np.testing.assert_allclose(walkers.states(), [[0, drawn[0]], [1, drawn[1]]])
    walkers._states[0, 0] = 9.5
    first = walkers.step(np.array([[1.0, 0.0], [1.0, 0.0]]))
    np.testing.assert_allclose(first.reward, [-(10.5**2) - drawn[0] ** 2, -4 - drawn[1] ** 2])
    assert first.terminated.tolist() == [True, False] and not first.truncated.any()
    for _ in range(2):
        told = walkers.step(np.ones((2, 2)))
    assert told.reward[0] == 0.0 and told.terminated.tolist() == [True, False]
    assert told.truncated.tolist() == [False, True]  # a row that terminated does not run on
    np.testing.assert_allclose(walkers.times, [0.1, 0.3])
    np.testing.assert_allclose(walkers.states()[0], [10.5, drawn[0]])
    walkers.reset(np.array([True, False]), [Situation()], [1])
    np.testing.assert_allclose(walkers.states()[0], [0, drawn[0]])
    assert walkers.times[0] == 0.0


def test_rows_and_seeds_belong_together() -> None:
    with pytest.raises(ValueError, match="expected a seed each, got 0 and 0"):
        Walkers([])
    with pytest.raises(ValueError, match="expected 1 of each to reset"):
        Walkers([1, 2]).reset(np.array([True, False]), [], [])
