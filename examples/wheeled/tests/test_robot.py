"""The maps: what every robot's tests should hold."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from ros_mbmrl.robots import make_robot

from wheeled.robot import Wheeled

ROBOT = Wheeled()
AT = st.floats(-3, 3)
RATE = st.floats(-1, 1)
ANGLE = st.floats(-3.1, 3.1)

settings.register_profile("no deadline", deadline=None)  # the first example loads torch
settings.load_profile("no deadline")


def state(x: float, y: float, yaw: float, speed: float, yaw_rate: float) -> torch.Tensor:
    row = [x, y, math.cos(yaw), math.sin(yaw), speed, yaw_rate]
    return torch.tensor(row, dtype=torch.float64)


def test_it_is_found_by_name() -> None:
    assert type(make_robot("wheeled")).__name__ == "Wheeled"


@given(AT, AT, ANGLE, RATE, st.tuples(AT, AT, ANGLE, RATE, RATE))
def test_advance_undoes_difference(
    x: float, y: float, yaw: float, speed: float, after: tuple[float, ...]
) -> None:
    first, second = state(x, y, yaw, speed, 0.2), state(*after)
    change = ROBOT.difference(first, second)
    torch.testing.assert_close(ROBOT.advance(first, change), second)


@given(AT, AT, ANGLE)
def test_features_and_changes_know_neither_place_nor_heading(
    x: float, y: float, yaw: float
) -> None:
    def moved(turn: float, px: float, py: float) -> tuple[torch.Tensor, torch.Tensor]:
        c, s = math.cos(turn), math.sin(turn)
        here, there = state(px, py, turn, 0.3, 0.1), state(px + c - s, py + s + c, turn + 1, 0.2, 0)
        return ROBOT.features(here), ROBOT.difference(here, there)

    for got, expected in zip(moved(yaw, x, y), moved(0.0, 0.0, 0.0), strict=True):
        torch.testing.assert_close(got, expected)


def test_the_state_of_a_measurement() -> None:
    half = math.sqrt(0.5)  # a quarter turn to the left
    got = ROBOT.estimate(np.array([1, 2, half, 0, 0, half, 0.4, -0.1]), None, 0.1)
    np.testing.assert_allclose(got, [1, 2, 0, 1, 0.4, -0.1], atol=1e-12)
    assert ROBOT.pose(got) == pytest.approx((1, 2, math.pi / 2))


def test_the_way_back_turns_first_then_drives() -> None:
    away = ROBOT.retreat(state(2.9, 0, 0, 0, 0).numpy(), (0.0, 0.0))
    assert away[0] == 0.0 and abs(away[1]) == 2.0
    facing = ROBOT.retreat(state(2.9, 0, math.pi, 0, 0).numpy(), (0.0, 0.0))
    np.testing.assert_allclose(facing, [0.3, 0.0], atol=1e-9)
