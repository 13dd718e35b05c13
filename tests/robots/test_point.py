"""The point: a change leads from one state to the next, and nothing is told of the goal."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ros_mbmrl.errors import UserError
from ros_mbmrl.robots.point import CENTRE, PERIOD, PointRobot
from ros_mbmrl.robots.task import is_stationary

POINT = PointRobot("point_corners", 0.2)


def test_it_crosses_its_reach_in_a_period() -> None:
    np.testing.assert_allclose(PERIOD * POINT.spec.action_high, 0.2)
    np.testing.assert_allclose(POINT.spec.action_low, -POINT.spec.action_high)


def test_a_change_leads_to_the_next_state() -> None:
    state, later = torch.randn(5, 2), torch.randn(5, 2)
    change = POINT.difference(state, later)
    torch.testing.assert_close(POINT.advance(state, change), later)
    assert torch.equal(POINT.observation(state), state)
    measured = np.array([1.0, 2.0])
    assert POINT.estimate(measured, None, PERIOD).tolist() == [1.0, 2.0]


def test_it_has_no_task_to_plan_for() -> None:
    assert not POINT.tasks() and not POINT.follows_paths
    with pytest.raises(UserError, match="unknown task 'reach'"):
        POINT.make_task("reach", np.zeros(2))


def test_the_centre_is_a_task() -> None:
    point = PointRobot("point_centre", 0.1, centred=True)
    assert point.tasks() == (CENTRE,)
    task = point.make_task(CENTRE, np.zeros(2))
    states = torch.tensor([[[3.0, 4.0], [1.0, 2.0], [0.0, -1.0]]])
    assert task.cost(states, torch.zeros(1, 2, 2), task.reference(np.zeros(2))).tolist() == [6.0]
    assert is_stationary(task)
