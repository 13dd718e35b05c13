"""The trunk's pose and velocity: values computed by hand, and nothing made up."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ros_mbmrl.robots import ROBOTS, make_robot
from ros_mbmrl.robots.trunk import Trunk
from ros_mbmrl.simulation.posture import make_posture

LEFT = [math.sqrt(0.5), 0.0, 0.0, math.sqrt(0.5)]  # a quarter turn about z: nose along y
FREE = Trunk(((0, 0), (1, 1), (2, 2)), quaternion=(3, 4, 5, 6))


def pose(position: list[float], quaternion: list[float]) -> np.ndarray:
    return np.array([*position, *quaternion])


def test_a_robot_that_looks_along_y_and_moves_along_y_moves_forward() -> None:
    twist = FREE.twist(pose([1.0, 2.2, 0.5], LEFT), pose([1.0, 2.0, 0.5], LEFT), 0.1)
    assert twist is not None
    np.testing.assert_allclose(twist[0], [2.0, 0.0, 0.0], atol=1e-12)
    np.testing.assert_allclose(twist[1], 0.0, atol=1e-12)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_turn_is_told_in_the_body_frame_whatever_the_quaternions_sign(sign: float) -> None:
    """A quarter of a turn about the map's z is one about the body's y if the body lies on its side.

    On its right side, that is: rolled by +90 degrees, its y axis points up.
    """
    rolled = np.array([math.cos(math.pi / 4), math.sin(math.pi / 4), 0.0, 0.0])
    turned = np.array([0.5, 0.5, 0.5, 0.5])  # LEFT * rolled
    here = [0.0, 0.0, 0.0]
    twist = FREE.twist(pose(here, list(sign * turned)), pose(here, list(rolled)), 0.5)
    assert twist is not None
    np.testing.assert_allclose(twist[1], [0.0, math.pi, 0.0], atol=1e-12)


def test_a_planar_robot_with_its_nose_down_falls_forward() -> None:
    """Nose down by a quarter of a turn (positive pitch): down is ahead."""
    planar = Trunk(((0, 0), (2, 1)), turn=(1, 2))
    nose_down = math.pi / 2
    twist = planar.twist(
        np.array([0.0, -0.3, nose_down + 0.2]), np.array([0.0, 0.0, nose_down + 0.1]), 0.1
    )
    assert twist is not None
    expected = 3.0 * np.array([math.cos(0.2), 0.0, math.sin(0.2) * -1.0])
    np.testing.assert_allclose(np.abs(twist[0]), np.abs(expected), atol=1e-12)
    assert twist[0][0] > 0
    np.testing.assert_allclose(twist[1], [0.0, 1.0, 0.0], atol=1e-9)


@pytest.mark.parametrize(
    "broken", [[0.0, 0.0, 0.0, 0.0], [math.nan, 0.0, 0.0, 1.0], [math.inf, 0.0, 0.0, 0.0]]
)
def test_without_an_orientation_there_is_no_twist(broken: list[float]) -> None:
    here = [0.0, 0.0, 0.0]
    assert FREE.twist(pose(here, broken), pose(here, LEFT), 0.1) is None
    assert FREE.twist(pose(here, LEFT), pose(here, broken), 0.1) is None
    assert FREE.twist(pose([math.nan, 0.0, 0.0], LEFT), pose(here, LEFT), 0.1) is None
    assert np.isnan(FREE.orientation(pose(here, broken))).all()


def test_robots_without_a_place_or_an_orientation_have_no_trunk() -> None:
    assert Trunk.of(make_robot("pr2_arm").spec) is None
    assert Trunk.of(make_robot("arm_7dof").spec) is None
    hexapod = Trunk.of(make_robot("hexapod").spec)
    assert hexapod is not None and hexapod.axes == hexapod.turning_axes == (0, 1, 2)


@pytest.mark.parametrize("name", sorted(set(ROBOTS) - {"hexapod", "pr2_arm", "arm_7dof"}))
def test_the_pose_is_that_of_the_trunks_body_in_mujoco(name: str) -> None:
    """Axes, signs and the origin: what `odom` says is where MuJoCo has the body."""
    spec = make_robot(name).spec
    trunk = Trunk.of(spec)
    if trunk is None:
        pytest.skip("a point")
    values = np.random.default_rng(3).uniform(-0.6, 0.6, len(spec.measurement))
    values[list(trunk.quaternion)] += 0.7
    length = np.linalg.norm(values[list(trunk.quaternion)])
    values[list(trunk.quaternion)] /= length if trunk.quaternion else 1.0
    data = make_posture(name).put(values)
    for axis, index in trunk.position:
        assert values[index] + spec.origin[axis] == pytest.approx(data.xpos[1, axis])
    alike = abs(trunk.orientation(values) @ data.xquat[1])
    assert alike == pytest.approx(1.0)
