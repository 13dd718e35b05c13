"""The thesis's reward, by hand; the funnel; goals that the arm can take up."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.arm_tasks import GOALS, ArmWeights, BringPoints, make_arm_task
from ros_mbmrl.robots.pr2_kinematics import POINTS, tool_points
from ros_mbmrl.robots.pr2_limits import JOINTS

ROBOT = make_robot("pr2_arm")
PLAIN = ArmWeights(velocity=0.0, torque=0.0, limit=0.0)
GOAL = tool_points(np.array([0.6, 0.3, 1.0, -1.2, 0.3, -0.8, 0.0]))


def at(points: np.ndarray, speed: float = 0.0) -> torch.Tensor:
    """States (1, 2, 23) of which the second counts."""
    state = np.concatenate([np.zeros(7), np.full(7, speed), points])
    return torch.tensor(np.stack([state, state])[None], dtype=torch.float32)


def cost(task: BringPoints, points: np.ndarray, speed: float = 0.0, torque: float = 0.0) -> float:
    actions = torch.full((1, 1, 7), torque)
    return float(task.cost(at(points, speed), actions, task.reference(np.zeros(23)))[0])


def shifted(x: float, y: float, z: float) -> np.ndarray:
    return (GOAL.reshape(3, 3) + [x, y, z]).ravel()


@pytest.mark.parametrize("distance", [0.0, 0.02, 0.5])
def test_the_reward_is_the_thesis_one(distance: float) -> None:
    task = BringPoints(ROBOT, GOAL, weights=PLAIN)
    expected = distance**2 + math.log(distance**2 + 1e-5)
    assert cost(task, shifted(0, distance, 0)) == pytest.approx(expected, abs=2e-3)


def test_velocity_and_torque_are_penalised_by_their_squares() -> None:
    weights = ArmWeights(square=0.0, log=0.0, velocity=0.5, torque=2.0, limit=0.0)
    task = BringPoints(ROBOT, GOAL, weights=weights)
    assert cost(task, GOAL, speed=2.0) == pytest.approx(0.5 * 4)
    high = torch.tensor(ROBOT.spec.action_high, dtype=torch.float32).expand(1, 1, 7)
    full = task.cost(at(GOAL), high, task.reference(np.zeros(23)))
    assert float(full[0]) == pytest.approx(2.0 * 0.25)  # half of the range


def test_joints_near_their_soft_limits_cost_something() -> None:
    weights = ArmWeights(square=0.0, log=0.0, velocity=0.0, torque=0.0, limit=10.0, margin=0.2)
    task = BringPoints(ROBOT, GOAL, weights=weights)
    states = at(GOAL)
    states[..., :7] = torch.tensor([0.6, 0.3, 1.0, -1.2, 50.0, -0.8, -50.0])
    assert float(task.cost(states, torch.zeros(1, 1, 7), torch.zeros(3, 3))[0]) == 0.0
    states[..., 3] = -0.25  # 0.1 rad from the elbow's soft limit of -0.15
    states[..., 1] = -0.4536  # 0.1 rad beyond the lift's of -0.3536
    got = float(task.cost(states, torch.zeros(1, 1, 7), torch.zeros(3, 3))[0])
    assert got == pytest.approx(10 * (0.1**2 + 0.3**2), rel=1e-4)


def test_the_distance_is_over_the_points() -> None:
    task = BringPoints(ROBOT, GOAL, weights=PLAIN)
    points = GOAL.copy()
    points[0] += 0.03
    assert task.distances(np.concatenate([np.zeros(14), points])) == pytest.approx([0.03, 0, 0])
    assert cost(task, points) == pytest.approx(3e-4 + math.log(3e-4 + 1e-5), abs=2e-3)


def test_beside_the_hole_the_peg_is_better_above_it() -> None:
    task = BringPoints(ROBOT, GOAL, funnel=3.0, clearance=0.1, weights=PLAIN)
    beside = cost(task, shifted(0.05, 0, 0))
    assert cost(task, shifted(0.05, 0, 0.1)) < beside
    assert cost(task, shifted(0.01, 0, 0.03)) < cost(task, shifted(0.01, 0, 0.0))
    assert cost(task, GOAL) < cost(task, shifted(0, 0, 0.01))  # over it: straight down
    plain = BringPoints(ROBOT, GOAL, weights=PLAIN)
    assert cost(plain, shifted(0.05, 0, 0.1)) > cost(plain, shifted(0.05, 0, 0))


@pytest.mark.parametrize("name", GOALS)
def test_every_goal_is_within_the_soft_limits(name: str) -> None:
    for angle, joint in zip(GOALS[name].posture, JOINTS, strict=True):
        assert joint.soft_lower < angle < joint.soft_upper
    task = make_arm_task(ROBOT, name)
    assert cost(task, GOALS[name].points) < cost(task, GOALS[name].points + 0.02)


@pytest.mark.parametrize("name", ["insert", "stack"])
def test_the_gripper_points_down_where_something_is_put_down(name: str) -> None:
    first, second, third = GOALS[name].points.reshape(3, 3)
    across, along = second - first, third - first
    normal = np.cross(across, along) / np.linalg.norm(np.cross(across, along))
    assert abs(normal[2]) == pytest.approx(1.0, abs=0.01)
    assert len(POINTS) == 3


def test_wrong_weights_are_refused() -> None:
    with pytest.raises(ValueError, match="softness: expected a number above 0, got 0"):
        ArmWeights(softness=0.0)
    with pytest.raises(ValueError, match="torque: expected a number of at least 0"):
        ArmWeights(torque=float("nan"))
