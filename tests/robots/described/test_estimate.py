"""States from measurements of a described robot."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from ros_mbmrl.robots.described.reading import parse_description
from ros_mbmrl.robots.described.robot import described_robot
from tests.robots.described.examples import ARM, BASE

DERIVED = BASE.replace("  speed: odom.twist.twist.linear.x\n", "").replace(
    "  yaw_rate: odom.twist.twist.angular.z\n", ""
)


def quaternion(yaw: float) -> list[float]:
    return [math.cos(yaw / 2), 0.0, 0.0, math.sin(yaw / 2)]


def test_a_base_that_measures_its_rates() -> None:
    robot = described_robot(parse_description(BASE, Path("f")))
    state = robot.estimate(np.array([1.0, 2.0, *quaternion(0.5), 0.3, -0.1]), None, 0.1)
    assert state == pytest.approx([1.0, 2.0, math.cos(0.5), math.sin(0.5), 0.3, -0.1])


def test_rates_of_a_pose_are_in_the_bodys_frame() -> None:
    robot = described_robot(parse_description(DERIVED, Path("f")))
    before = np.array([0.0, 0.0, *quaternion(math.pi / 2)])
    now = np.array([0.0, 0.02, *quaternion(math.pi / 2 + 0.05)])
    assert robot.estimate(now, before, 0.1)[4:] == pytest.approx([0.2, 0.5])
    assert robot.estimate(now, None, 0.1)[4:].tolist() == [0.0, 0.0]


def test_the_rate_of_an_endless_joint_goes_the_short_way() -> None:
    text = ARM.replace("endless: [wrist]", "endless: [wrist], velocity: difference")
    robot = described_robot(parse_description(text, Path("f")))
    state = robot.estimate(np.array([0.1, 0.0, -3.1]), np.array([0.0, 0.0, 3.1]), 0.1)
    assert state[3:] == pytest.approx([1.0, 0.0, (2 * math.pi - 6.2) / 0.1])


def test_many_measurements_at_once() -> None:
    robot = described_robot(parse_description(DERIVED, Path("f")))
    rows = np.array([[k, 0.5, *quaternion(0.1 * k)] for k in range(5)])
    each = np.stack([robot.estimate(row, None, 0.1) for row in rows])
    np.testing.assert_array_equal(robot.estimate(rows, None, 0.1), each)
