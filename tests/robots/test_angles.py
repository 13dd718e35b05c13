"""Angles of quaternions about one axis each."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ros_mbmrl.robots.angles import roll_pitch_yaw, yaw_of


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_roll_pitch_yaw_about_one_axis(axis: int) -> None:
    quaternion = np.array([math.cos(0.2), 0.0, 0.0, 0.0])
    quaternion[1 + axis] = math.sin(0.2)
    assert roll_pitch_yaw(quaternion) == pytest.approx(0.4 * np.eye(3)[axis])


def test_yaws_of_many_at_once() -> None:
    turns = np.array([-3.0, 0.0, 0.4])
    none = np.zeros(3)
    found = yaw_of(np.cos(turns / 2), none, none, np.sin(turns / 2))
    assert found == pytest.approx(turns)
