"""Commands within their limits, and physics that broke down."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ros_mbmrl.errors import RunError
from ros_mbmrl.plants.base import PlantFault, check_physics, within_limits
from ros_mbmrl.robots.spec import Robot


def test_what_rounding_put_beyond_a_limit_is_taken_off(robot: Robot) -> None:
    beyond = np.array([1.00005, -1.00005])
    assert within_limits(robot.spec, beyond).tolist() == [1.0, -1.0]
    assert within_limits(robot.spec, np.array([0.5, -0.5])).tolist() == [0.5, -0.5]
    assert beyond.tolist() == [1.00005, -1.00005]  # the caller's stays


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ([1.001, 0.0], "expected .* to .* 1, got"),
        ([0.0, np.nan], "expected .* to .* 1, got"),
        ([0.0, -np.inf], "expected .* to .* 1, got"),
        ([0.0], r"expected shape \(2,\) in 1, got \(1,\)"),
        (0.0, r"expected shape \(2,\) in 1, got \(\)"),
    ],
)
def test_what_is_beyond_it_is_refused(robot: Robot, action: Any, words: str) -> None:
    with pytest.raises(ValueError, match=f"action: {words}"):
        within_limits(robot.spec, np.array(action))


def test_physics_that_broke_down_are_no_fault_to_wait_for() -> None:
    check_physics(broken=False, seconds=1.0)
    with pytest.raises(RunError, match=r"broke down before 1\.5 s") as caught:
        check_physics(broken=True, seconds=1.5)
    assert not isinstance(caught.value, PlantFault)
