"""The PR2's tasks: goals that hold what they say, and a configuration that fails when wrong."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.pr2_kinematics import place_points
from ros_mbmrl.robots.pr2_limits import JOINTS
from ros_mbmrl.robots.pr2_tasks import TASKS

NAMES = ("pr2_reach", "pr2_insertion", "pr2_stacking")


def axes(angles: tuple[float, ...]) -> np.ndarray:
    """The hand's axes as columns (3, 3), in torso_lift_link."""
    q = np.array(angles)
    ends = np.stack(place_points(np.cos(q), np.sin(q), np.vstack([np.zeros(3), np.eye(3)])), -1)
    return (ends[1:] - ends[0]).T


@pytest.mark.parametrize("name", TASKS)
def test_goal_and_start_are_within_the_soft_limits(name: str) -> None:
    task = TASKS[name]
    for angles in (task.goal, task.start):
        for angle, joint in zip(angles, JOINTS, strict=True):
            assert joint.soft_lower + task.spread < angle < joint.soft_upper - task.spread


@pytest.mark.parametrize("name", ["insertion", "stacking"])
def test_at_a_goal_with_contact_the_hand_points_straight_down(name: str) -> None:
    assert axes(TASKS[name].goal)[:, 0] == pytest.approx([0, 0, -1], abs=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_a_robot_has_the_23_numbers_of_the_thesis_and_one_task(name: str) -> None:
    robot = make_robot(name)
    assert robot.spec.name == name and robot.spec.period == 0.1
    assert len(robot.spec.state) == 23 and len(robot.spec.action) == 7
    assert robot.tasks() == (name.removeprefix("pr2_"),)
    with pytest.raises(UserError, match="unknown task 'fly'"):
        robot.make_task("fly", np.zeros(23))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"goal": (0.0,) * 6}, "goal, start: expected 7 angles, got 6 and 7"),
        ({"tolerance": 0.0}, "spread, tolerance: expected at least 0 and above 0, got 0.15 and 0"),
        ({"spread": -1.0}, "spread, tolerance: .* got -1.0 and 0.01"),
    ],
)
def test_a_wrong_task_is_refused(change: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        replace(TASKS["reach"], **change)
