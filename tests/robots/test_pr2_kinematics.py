"""Forward kinematics: by hand at simple postures, against MuJoCo's sites at random ones."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ros_mbmrl.robots.pr2_kinematics import tool_points
from ros_mbmrl.simulation.pr2 import PR2World


def test_stretched_out() -> None:
    # 0.1 + 0.4 + 0.321 + 0.18 + 0.02 forward; shoulder 0.188 to the left
    assert tool_points(np.zeros(7)) == pytest.approx(
        [1.021, 0.163, 0.05, 1.021, 0.163, -0.05, 1.021, 0.238, 0.0]
    )


def test_pan_turns_left_lift_goes_down_and_elbow_goes_up() -> None:
    left = tool_points(np.array([math.pi / 2, 0, 0, 0, 0, 0, 0]))
    assert left[:3] == pytest.approx([0.025, 1.209, 0.05])
    down = tool_points(np.array([0, 0.5, 0, 0, 0, 0, 0]))
    assert down[2] < -0.3
    up = tool_points(np.array([0, 0, 0, -math.pi / 2, 0, 0, 0]))
    assert up[:3] == pytest.approx([0.5 - 0.05, 0.163, 0.521])


def test_wrist_roll_turns_the_points_about_the_tool() -> None:
    turned = tool_points(np.array([0, 0, 0, 0, 0, 0, math.pi / 2])).reshape(3, 3)
    assert turned[2] == pytest.approx([1.021, 0.188, 0.05])


def test_it_agrees_with_the_twin() -> None:
    rng = np.random.default_rng(3)
    for _ in range(20):
        q = rng.uniform(-3, 3, 7)
        assert PR2World(start=q).points() == pytest.approx(tool_points(q), abs=1e-9)


def test_a_batch_is_row_by_row() -> None:
    q = np.random.default_rng(0).normal(size=(4, 7))
    assert tool_points(q) == pytest.approx(np.array([tool_points(row) for row in q]))
