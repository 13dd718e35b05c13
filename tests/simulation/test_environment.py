"""The definitions that all environments share."""

from __future__ import annotations

import numpy as np
import pytest

from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.rewards import Reach, Run
from ros_mbmrl.simulation.environment import observe, rows_of, tasks_of

ARM, CHEETAH = make_robot("arm_7dof"), make_robot("half_cheetah")
GOAL = np.array([[0.1, 0.2, 0.3]])


def test_a_policy_sees_features_and_then_the_goal() -> None:
    states = np.arange(18.0)[None]
    seen = observe(CHEETAH, states, np.zeros((1, 0)))
    assert seen.dtype == np.float32 and seen[0].tolist() == list(range(1, 18))  # all but x
    assert observe(ARM, np.zeros((1, 17)), GOAL)[0, 17:] == pytest.approx(GOAL[0])


def test_each_row_has_the_task_of_its_goal() -> None:
    (task,) = tasks_of(ARM, np.zeros((1, 17)), GOAL)
    assert isinstance(task, Reach)
    assert task.reference(np.zeros(17)).tolist() == pytest.approx(GOAL[0])
    assert isinstance(tasks_of(CHEETAH, np.zeros((2, 18)), np.zeros((2, 0)))[1], Run)


def test_a_mask_names_rows_that_all_parts_are_of() -> None:
    mask = np.array([False, True, True])
    assert rows_of(mask, "ab", [1, 2]).tolist() == [1, 2]
    with pytest.raises(ValueError, match="expected 2 of each"):
        rows_of(mask, "ab", [1])
