"""Points: steps and rewards by hand, one by one as in a batch."""

from __future__ import annotations

import numpy as np
import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.robots.task import rewards_each
from ros_mbmrl.simulation.environment import Environment
from ros_mbmrl.simulation.points import POINTS, Points, make_points
from ros_mbmrl.simulation.situations import Situation


def goal(x: float, y: float) -> Situation:
    return Situation(goal=(x, y, 0.0))


def test_a_corner_pays_only_near_it() -> None:
    points: Environment = make_points("point_corners", [goal(2, 2), goal(-2, 2)], [0, 0])
    began = points.states()
    assert (np.abs(began) <= 0.2).all() and (began[0] == began[1]).all()
    for k in range(8):
        told = points.step(np.full((2, 2), 2.0))  # 0.2 m along each axis
        position = began[0] + 0.2 * (k + 1)
        np.testing.assert_allclose(points.states(), [position, position])
        np.testing.assert_allclose(told.observation, [position, position], rtol=1e-6)
        expected = max(2.0 - float(np.linalg.norm(position - 2.0)), 0.0)
        assert told.reward[0] == pytest.approx(expected)
    assert told.reward[0] > 1.0 and told.reward[1] == 0.0
    assert not told.terminated.any() and not told.truncated.any()
    np.testing.assert_allclose(points.times, 0.8)


def test_navigation_ends_at_the_goal_and_stays_there() -> None:
    points = make_points("point_navigation", [goal(0.1, 0.0), goal(0.5, 0.5)], [1, 2])
    assert (points.states() == 0.0).all()
    first = points.step(np.array([[0.5, 0.0], [1.0, 1.0]]))
    np.testing.assert_allclose(first.reward, [-(0.05**2), -0.32])
    assert not first.terminated.any()
    second = points.step(np.array([[0.5, 0.0], [0.0, 0.0]]))
    assert second.terminated.tolist() == [True, False]
    third = points.step(np.array([[1.0, 1.0], [1.0, 0.0]]))
    np.testing.assert_allclose(points.states(), [[0.1, 0.0], [0.2, 0.1]])
    assert third.terminated.tolist() == [True, False]
    points.reset(np.array([True, False]), [goal(0.0, 0.4)], [3])
    np.testing.assert_allclose(points.states(), [[0.0, 0.0], [0.2, 0.1]])
    np.testing.assert_allclose(points.times, [0.0, 0.3])


def test_time_is_up_at_the_horizon() -> None:
    points = make_points("point_corners", [goal(2, 2)], [0])
    for _ in range(POINTS["point_corners"].horizon - 1):
        assert not points.step(np.zeros((1, 2))).truncated[0]
    assert points.step(np.zeros((1, 2))).truncated[0]


@pytest.mark.parametrize("name", POINTS)
def test_a_batch_is_what_each_would_do_alone(name: str) -> None:
    rng = np.random.default_rng(0)
    situations = [POINTS[name].draw(rng) for _ in range(3)]
    seeds, low = [4, 5, 6], POINTS[name].reach / 0.1
    actions = rng.uniform(-low, low, (20, 3, 2))
    together = make_points(name, situations, seeds)
    rewards = np.array([together.step(each).reward for each in actions])
    for k in range(3):
        alone = make_points(name, situations[k : k + 1], seeds[k : k + 1])
        own = [alone.step(each[k : k + 1]).reward[0] for each in actions]
        np.testing.assert_array_equal(own, rewards[:, k])


def test_tasks_are_the_four_corners_and_goals_all_over() -> None:
    rng = np.random.default_rng(0)
    corners = {POINTS["point_corners"].draw(rng).goal for _ in range(40)}
    assert corners == {(x, y, 0.0) for x in (-2.0, 2.0) for y in (-2.0, 2.0)}
    goals = np.array([POINTS["point_navigation"].draw(rng).goal for _ in range(400)])
    assert (np.abs(goals) <= 0.5).all() and goals[:, :2].std(0) == pytest.approx(0.29, abs=0.03)
    drawn = Points("point_corners", [Situation()], [7])  # without a goal: one of its seed
    assert drawn.step(np.zeros((1, 2))).reward.shape == (1,)


def test_a_policy_sees_where_it_is_and_not_the_goal() -> None:
    points = make_points("point_corners", [goal(2, 2)], [0])
    assert points.observe().shape == (1, 2) and points.goals.shape == (1, 0)
    with pytest.raises(ValueError, match="their goal is not told"):
        points.tasks()


def test_the_centre_is_told_and_pays_as_its_task_costs() -> None:
    points = make_points(
        "point_centre", [POINTS["point_centre"].draw(np.random.default_rng(0))], [1]
    )
    began, moved = points.states(), np.array([[1.0, -0.5]])
    (task,) = points.tasks()
    told = points.step(moved)  # 0.1 m and -0.05 m
    np.testing.assert_allclose(points.states(), began + [[0.1, -0.05]])
    assert told.reward == pytest.approx(rewards_each([task], began, moved, points.states()))
    assert told.reward[0] == pytest.approx(-float((points.states() ** 2).sum()))


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(UserError, match="unknown point 'point_maze'"):
        make_points("point_maze", [goal(0, 0)], [0])
    with pytest.raises(ValueError, match="expected a seed each"):
        make_points("point_corners", [goal(0, 0)], [])
    points = make_points("point_corners", [goal(2, 2)], [0])
    with pytest.raises(ValueError, match="within the limits"):
        points.step(np.array([[3.0, 0.0]]))
