"""What hands say becomes a robot's command."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ros_mbmrl.collection.mapping import driven, steering
from ros_mbmrl.errors import UserError
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.hexapod import TURN

TOP = 9.0 * TURN


@pytest.mark.parametrize(
    ("forward", "turn", "left", "right"),
    [
        (1.0, 0.0, 0.5, 0.5),
        (0.0, 1.0, 0.0, 0.5),  # to the left: the right legs push
        (1.0, -0.5, 0.75, 0.25),
        (-1.0, 0.0, 0.0, 0.0),  # its legs do not turn backwards
        (1.0, 1.0, 0.0, 1.0),
    ],
)
def test_a_left_and_a_right_side(forward: float, turn: float, left: float, right: float) -> None:
    action = steering(make_robot("hexapod"), scale=0.5)(forward, turn)
    np.testing.assert_allclose(action, [left * TOP, right * TOP])


def test_a_robot_that_says_how_it_is_steered(robot: Any) -> None:
    class Steered(type(robot)):
        def steer(self, forward: float, turn: float) -> np.ndarray:
            return np.array([forward, 3 * turn])

    np.testing.assert_allclose(steering(Steered(), scale=0.5)(1.0, -1.0), [0.5, -1.0])


def test_a_robot_that_does_not_is_refused_in_a_line(robot: Any) -> None:
    with pytest.raises(UserError, match="toy cannot be driven by hand: expected a left and"):
        steering(robot, scale=0.5)


@pytest.mark.parametrize("scale", [0.0, 1.5, float("nan")])
def test_a_wrong_scale_is_refused(scale: float) -> None:
    with pytest.raises(UserError, match="scale: expected above 0, up to 1"):
        steering(make_robot("hexapod"), scale)


def test_silent_hands_want_nothing() -> None:
    said: list[tuple[float, float] | None] = [None, (1.0, 0.0)]
    source = driven(lambda: said.pop(0), lambda forward, turn: np.array([forward, turn]))
    assert source() is None
    np.testing.assert_array_equal(source(), [1.0, 0.0])
