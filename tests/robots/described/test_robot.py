"""A robot of a file: its specification, its maps, and what it can be told to do."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from ros_mbmrl.data.measurement_messages import joint_names
from ros_mbmrl.errors import UserError
from ros_mbmrl.robots.described.reading import parse_description
from ros_mbmrl.robots.described.robot import DescribedRobot, SteeredRobot, described_robot
from tests.robots.described.examples import ARM, BASE, CART, WALKER


def robot_of(text: str) -> DescribedRobot:
    return described_robot(parse_description(text, Path("f")))


@pytest.mark.parametrize("text", [BASE, ARM, WALKER, CART])
def test_a_change_leads_to_where_it_came_from(text: str) -> None:
    robot = robot_of(text)
    rng = np.random.default_rng(0)
    measured = 0.3 * rng.normal(size=(6, len(robot.spec.measurement)))
    states = torch.as_tensor(robot.estimate(measured, None, 0.1))
    changes = 0.2 * torch.randn(6, len(robot.spec.changes), dtype=torch.float64)
    moved = robot.advance(states, changes)
    np.testing.assert_allclose(robot.difference(states, moved), changes, atol=1e-6)
    assert robot.features(states).shape == (6, len(robot.spec.features))
    assert moved.shape == states.shape


def test_a_base_does_not_see_where_it_is() -> None:
    robot = robot_of(BASE)
    assert robot.spec.features == ("speed", "yaw_rate")
    assert robot.spec.change_weights == (4.0, 4.0, 8.0, 1.0, 1.0)
    assert robot.follows_paths and "figure8" in robot.tasks()
    state = np.array([1.0, 2.0, 0.0, 1.0, 0.3, 0.1])
    assert robot.pose(state) == pytest.approx((1.0, 2.0, math.pi / 2))
    assert robot.make_task("straight", state).reference(state).shape[1] == 4


def test_numbers_travel_where_the_graph_has_a_place_for_them() -> None:
    assert robot_of(BASE).spec.channels[-1] == "odom.twist.twist.angular.z"
    arm = robot_of(ARM).spec
    # Commands first, in their order; then the joint that has none.
    assert joint_names(arm) == ["elbow", "shoulder", "wrist"]
    assert arm.channels[:3] == (
        "joint_states.position.1",
        "joint_states.position.0",
        "joint_states.position.2",
    )
    assert arm.channels[3] == "joint_states.velocity.1"
    assert arm.command_field == "effort"


def test_a_walker_tells_its_tilt_and_place() -> None:
    robot = robot_of(WALKER)
    half = 0.3
    state = np.zeros(len(robot.spec.state))
    state[:7] = [1.0, 2.0, 0.3, math.cos(half / 2), math.sin(half / 2), 0.0, 0.0]
    assert robot.tilt(state) == pytest.approx(half)
    assert robot.pose(state) == pytest.approx((1.0, 2.0, 0.0))
    assert not robot.follows_paths and robot.tasks() == ("run",)
    assert not isinstance(robot, SteeredRobot)


def test_a_base_is_driven_by_hand_and_back_from_the_fence() -> None:
    robot = robot_of(BASE)
    assert isinstance(robot, SteeredRobot)
    assert robot.steer(1.0, -0.5).tolist() == [0.6, -1.0]
    assert robot.steer(-1.0, 0.0).tolist() == [-0.3, 0.0]
    back = np.array([2.0, 0.0, -1.0, 0.0, 0.0, 0.0])
    assert robot.retreat(back, (0.0, 0.0)) == pytest.approx([0.3, 0.0], abs=1e-6)


def test_defaults_of_the_file_are_the_robots() -> None:
    robot = robot_of(BASE + "planner: icem\nmethod: mb\nweights: {yaw: 3}\n")
    assert (robot.planner, robot.method) == ("icem", "mb")
    assert robot.spec.change_weights[2] == 3.0


def test_what_is_not_predicted_stays() -> None:
    robot = robot_of(CART)
    assert robot.spec.features == ("speed", "pole_rate", "load", "sin_pole", "cos_pole")
    state = torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0])
    assert robot.advance(state, torch.ones(4)).tolist() == [2.0, 3.0, 4.0, 5.0, 5.0]


def test_an_unknown_task_is_refused() -> None:
    with pytest.raises(UserError, match="unknown task 'fly': expected one of reach, slow"):
        robot_of(ARM).make_task("fly", np.zeros(6))
