"""The point that plans and paths are drawn of."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from ros_mbmrl.robots import ROBOTS, make_robot
from ros_mbmrl.robots.tracked import tracked_point


@pytest.mark.parametrize(
    ("robot", "columns", "frame"),
    [
        ("hexapod", (0, 1, 2), "map"),
        ("half_cheetah", (0, None, 1), "map"),
        ("swimmer", (0, 1, None), "map"),
        ("arm_7dof", (14, 15, 16), "map"),
        ("pr2_arm", (14, 15, 16), "torso_lift_link"),
    ],
)
def test_it_is_found_by_the_names_of_states(robot: str, columns: Any, frame: str) -> None:
    point = tracked_point(make_robot(robot).spec)
    assert point is not None
    assert (point.columns, point.frame) == (columns, frame)


def test_a_coordinate_that_is_not_there_is_zero() -> None:
    point = tracked_point(make_robot("half_cheetah").spec)
    assert point is not None
    states = np.arange(36.0).reshape(1, 2, 18)
    np.testing.assert_array_equal(point.of(states), [[[0, 0, 1], [18, 0, 19]]])


def test_every_robot_has_one_but_one_without_a_place() -> None:
    assert all(tracked_point(make_robot(name).spec) for name in ROBOTS)
    nowhere: Any = SimpleNamespace(state=[SimpleNamespace(name="angle")])
    assert tracked_point(nowhere) is None
