"""Maps of a described robot: inverses of each other, and independent of where the robot is."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ros_mbmrl.robots.described.maps import FloatingPose, NoPose, PlanarPose, Scalars

SCALARS = Scalars(
    ("a", "angle", "fixed", "hidden"),
    wraps=frozenset({"angle"}),
    seen=frozenset({"a", "angle", "fixed"}),
    predicted=frozenset({"a", "angle", "hidden"}),
)
angles = st.floats(-3.0, 3.0)
numbers = st.floats(-5.0, 5.0)


def planar(x: float, y: float, yaw: float) -> torch.Tensor:
    return torch.tensor([x, y, math.cos(yaw), math.sin(yaw)], dtype=torch.float64)


@given(numbers, numbers, angles, st.tuples(numbers, numbers, angles))
def test_a_planar_change_leads_to_where_it_came_from(
    x: float, y: float, yaw: float, change: tuple[float, float, float]
) -> None:
    pose, state, moved = PlanarPose(), planar(x, y, yaw), torch.tensor(change, dtype=torch.float64)
    found = pose.difference(state, pose.advance(state, moved))
    np.testing.assert_allclose(found, moved, atol=1e-9)


def test_ahead_is_where_a_planar_robot_looks() -> None:
    change = PlanarPose().difference(planar(1, 2, math.pi / 2), planar(1, 3, math.pi))
    np.testing.assert_allclose(change, [1.0, 0.0, math.pi / 2], atol=1e-12)


@given(st.tuples(*[numbers] * 3), st.tuples(*[st.floats(-1.0, 1.0)] * 3), st.tuples(*[angles] * 3))
def test_a_floating_change_leads_to_where_it_came_from(
    place: tuple[float, ...], turn: tuple[float, ...], axis: tuple[float, ...]
) -> None:
    quaternion = torch.tensor([1.0, *axis], dtype=torch.float64)
    state = torch.cat([torch.tensor(place, dtype=torch.float64), quaternion / quaternion.norm()])
    change = torch.tensor([0.1, -0.2, 0.3, *turn], dtype=torch.float64)
    pose = FloatingPose()
    np.testing.assert_allclose(
        pose.difference(state, pose.advance(state, change)), change, atol=1e-6
    )
    assert pose.advance(state, change)[3:].norm() == pytest.approx(1.0)


def test_a_floating_robot_sees_its_height_and_up() -> None:
    half = math.sqrt(0.5)  # nose down
    state = torch.tensor([1.0, 2.0, 0.4, half, 0.0, half, 0.0])
    np.testing.assert_allclose(FloatingPose().seen(state), [0.4, -1.0, 0.0, 0.0], atol=1e-6)


def test_scalars_by_hand() -> None:
    assert SCALARS.features == ("a", "fixed", "sin_angle", "cos_angle")
    assert SCALARS.changes == ("a", "angle", "hidden")
    state = torch.tensor([1.0, 3.0, 7.0, 2.0])
    after = torch.tensor([1.5, -3.0, 8.0, 1.0])
    np.testing.assert_allclose(
        SCALARS.seen(state), [1.0, 7.0, math.sin(3.0), math.cos(3.0)], rtol=1e-6
    )
    change = SCALARS.difference(state, after)
    np.testing.assert_allclose(change, [0.5, 2 * math.pi - 6.0, -1.0], rtol=1e-5)
    moved = SCALARS.advance(state, change)
    np.testing.assert_allclose(moved, [1.5, 2 * math.pi - 3.0, 7.0, 1.0], rtol=1e-5)


def test_nothing_moves_without_a_pose() -> None:
    empty = torch.zeros(4, 0)
    assert NoPose().advance(empty, NoPose().difference(empty, empty)).shape == (4, 0)
    assert NoPose().seen(empty).shape == (4, 0)
