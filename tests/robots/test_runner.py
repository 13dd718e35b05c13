"""Robots that are rows: features, tasks."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from ros_mbmrl.errors import UserError
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.running import BACKWARD, RunCourse

PLANAR, FLOATING = ("swimmer", "snake", "hopper", "walker2d"), ("humanoid",)
RUNNERS = (*PLANAR, *FLOATING)


@pytest.mark.parametrize("name", PLANAR)
def test_a_whole_turn_of_the_trunk_changes_no_feature(name: str) -> None:
    robot = make_robot(name)
    state = torch.randn(5, len(robot.spec.state), generator=torch.Generator().manual_seed(0))
    turned = state.clone()
    turned[:, 2] += 2 * math.pi
    torch.testing.assert_close(robot.features(turned), robot.features(state), atol=1e-5, rtol=0.0)


@pytest.mark.parametrize("name", FLOATING)
def test_the_other_quaternion_of_a_rotation_changes_no_feature(name: str) -> None:
    robot = make_robot(name)
    state = torch.randn(5, len(robot.spec.state), generator=torch.Generator().manual_seed(0))
    turned = state.clone()
    turned[:, 3:7] *= -1.0
    torch.testing.assert_close(robot.features(turned), robot.features(state))


@pytest.mark.parametrize("name", RUNNERS)
def test_a_place_on_the_ground_is_seen_by_nobody(name: str) -> None:
    robot = make_robot(name)
    state = torch.randn(3, len(robot.spec.state), generator=torch.Generator().manual_seed(0))
    moved = state.clone()
    moved[:, 0] += 3.0
    if robot.spec.state[1].name == "y":
        moved[:, 1] -= 2.0
    for seen in (robot.features, robot.observation):
        assert torch.equal(seen(moved), seen(state))
    assert robot.features(state).shape[1] == len(robot.spec.features)
    assert robot.observation(state).shape[1] == len(robot.observed)
    assert not robot.follows_paths


def test_every_runner_can_turn_back_and_the_humanoid_can_stand() -> None:
    for name in RUNNERS:
        robot = make_robot(name)
        assert robot.tasks()[0] == "run" and robot.tasks()[-1] == "run_backward"
        task = robot.make_task("run_backward", np.zeros(len(robot.spec.state)))
        assert isinstance(task, RunCourse) and task.course == BACKWARD
        with pytest.raises(UserError, match="unknown task 'dance'"):
            robot.make_task("dance", np.zeros(len(robot.spec.state)))
    assert "stand" in make_robot("humanoid").tasks()
