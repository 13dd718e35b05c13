"""Variances in messages: none is zero, and each axis says whether it is measured."""

from __future__ import annotations

import pytest

from ros_mbmrl.data.variances import (
    ASSUMED,
    NOT_MEASURED,
    UNKNOWN,
    derived_variance,
    variances,
)
from ros_mbmrl.robots import ROBOTS, make_robot


@pytest.mark.parametrize("robot", ROBOTS)
def test_no_variance_says_that_a_number_is_exact(robot: str) -> None:
    for where, value in variances(make_robot(robot).spec):
        assert value > 0 or (where.topic == "imu" and value == NOT_MEASURED)


def test_the_hexapods_pose_is_measured_and_its_twist_not_yet_known() -> None:
    found = {
        (where.topic, *where.way): value for where, value in variances(make_robot("hexapod").spec)
    }
    pose = [found["odom", "pose", "covariance", 7 * k] for k in range(6)]
    assert pose == [ASSUMED["position"]] * 3 + [ASSUMED["orientation"]] * 3
    assert {found["odom", "twist", "covariance", 7 * k] for k in range(6)} == {UNKNOWN}
    assert found["imu", "orientation_covariance", 0] == NOT_MEASURED
    assert found["imu", "angular_velocity_covariance", 8] == ASSUMED["angular_velocity"]


def test_a_robot_in_a_plane_knows_one_angle() -> None:
    spec = make_robot("half_cheetah").spec
    found = {(where.topic, *where.way): value for where, value in variances(spec)}
    known = [found["odom", "pose", "covariance", 7 * k] < UNKNOWN for k in range(6)]
    assert known == [True, False, True, False, True, False]  # x, z, and the turn about y


def test_a_difference_of_two_poses_is_as_uncertain_as_both() -> None:
    assert derived_variance("linear", 0.1) == pytest.approx(2e-6 / 0.01)
    assert derived_variance("angular", 0.5) == pytest.approx(2e-4 / 0.25)
