"""The robot that the campaign plays: it goes where it is told, and says so."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.faults.kinematics import NOISE, Kinematics, settled
from ros_mbmrl.robots.described.reading import parse_description
from tests.plants.topics.conftest import ARM, BASE

DT = 0.02  # [s]


def played(text: str, timeout: float = 0.2) -> Kinematics:
    return Kinematics(parse_description(text, Path("r.yaml")), timeout, np.random.default_rng(0))


def test_a_base_drives_the_circle_that_it_is_told() -> None:
    """Of radius v / w about (0, v / w)."""
    robot, speed, turn = played(BASE), 0.4, 0.8
    for k in range(100):
        assert robot.tell({"speed": speed, "yaw_rate": turn}, k * DT)
        robot.step(DT, k * DT)
        assert math.dist(robot.pose[:2], (0.0, speed / turn)) == pytest.approx(0.5, abs=1e-4)
    assert robot.pose[2] == pytest.approx(100 * DT * turn)
    said = robot.measured()
    assert said["x"] == pytest.approx(robot.pose[0], abs=10 * NOISE)
    assert (said["qw"], said["qz"]) == pytest.approx((math.cos(0.8), math.sin(0.8)), abs=1e-3)
    assert (said["speed"], said["yaw_rate"]) == pytest.approx((speed, turn), abs=10 * NOISE)
    assert math.hypot(said["qw"], said["qx"], said["qy"], said["qz"]) == pytest.approx(1.0)


def test_a_base_rests_when_it_is_told_to_or_told_nothing() -> None:
    robot = played(BASE, timeout=0.2)
    robot.tell({"speed": 0.3, "yaw_rate": 0.0}, 0.0)
    robot.step(DT, 0.2)
    assert robot.moving
    robot.step(DT, 0.21)
    assert not robot.moving
    robot.tell({"speed": 0.3, "yaw_rate": 0.0}, 0.3)
    robot.tell({"speed": 0.0, "yaw_rate": 0.0}, 0.4)
    assert not robot.moving


@pytest.mark.parametrize(("speed", "safe"), [(0.6, True), (0.61, False), (-0.4, False)])
def test_a_command_beyond_its_range_is_unsafe(speed: float, safe: bool) -> None:
    assert played(BASE).tell({"speed": speed, "yaw_rate": 0.0}, 0.0) == safe


def test_what_is_not_finite_is_unsafe_and_moves_nothing() -> None:
    robot = played(BASE)
    assert not robot.tell({"speed": math.nan, "yaw_rate": 0.0}, 0.0)
    assert not robot.moving


def test_joints_reach_their_positions_in_a_period_and_hold_them() -> None:
    robot = played(ARM)
    robot.tell({"shoulder_rate": 0.05, "elbow_rate": -0.1}, 0.0)  # positions, as it is sent
    for k in range(4):
        robot.step(DT, k * DT)
        assert robot.moving
    said = robot.measured()
    assert said["shoulder"] == pytest.approx(0.04, abs=10 * NOISE)
    assert said["elbow_velocity"] == pytest.approx(-1.0, abs=10 * NOISE)
    robot.step(DT, 0.1)
    robot.step(DT, 0.12)
    assert not robot.moving and not robot.placed
    assert robot.measured()["elbow"] == pytest.approx(-0.1, abs=10 * NOISE)


def test_sensors_never_say_the_same_twice() -> None:
    robot = played(BASE)
    assert robot.measured()["x"] != robot.measured()["x"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (ARM.replace(", integrates: elbow", ""), "r.yaml: command 'elbow_rate' cannot be played"),
        (
            BASE.replace("nav_msgs/msg/Odometry}", "nav_msgs/msg/Odometry}\n"
            "  tf: {name: /tf, type: tf2_msgs/msg/TFMessage}").replace(
                "odom.pose.pose", "{topic: tf, frames: [map, base_link]}"
            ),
            "r.yaml: transforms cannot be played",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_played_is_refused(text: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        played(text)


def test_a_moment_between_two_positions_is_no_rest() -> None:
    driven = [(0.1 * k, moves) for k, moves in enumerate((True, False, True, False, False, False))]
    assert [moves for _, moves in settled(driven, 0.2)] == [True, True, True, False, False, False]
    assert [moves for _, moves in settled(driven, 0.05)] == [moves for _, moves in driven]
    assert settled([], 0.1) == []
