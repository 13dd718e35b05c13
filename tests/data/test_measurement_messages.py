"""Measurements as messages, without a middleware: every number in its place, none made up."""

from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from ros_mbmrl.collection.messages import Messages
from ros_mbmrl.data.measurement_assembler import MeasurementReader
from ros_mbmrl.data.measurement_messages import (
    MeasurementMessages,
    as_sent,
    joint_names,
    measurement_topics,
    nanoseconds,
    put_stamp,
)
from ros_mbmrl.data.variances import UNKNOWN, variances
from ros_mbmrl.errors import UserError
from ros_mbmrl.robots import ROBOTS, make_robot
from ros_mbmrl.robots.channels import channel
from ros_mbmrl.robots.measurement import Measurement


def encoded(
    robot: str, measurement: Measurement, previous: Measurement | None = None
) -> dict[str, Any]:
    spec = make_robot(robot).spec
    try:
        blank = Messages(measurement_topics(spec)).blank
    except UserError as error:
        pytest.skip(str(error))
    return MeasurementMessages(spec, blank).encode(measurement, previous)


@pytest.mark.parametrize("robot", ROBOTS)
def test_every_number_is_where_its_channel_says(robot: str) -> None:
    spec = make_robot(robot).spec
    values = 1.0 + np.arange(len(spec.measurement))
    messages = encoded(robot, Measurement(2.5, values, age=0.125))
    assert tuple(messages) == measurement_topics(spec)
    found = [channel(where).get(messages[channel(where).topic]) for where in spec.channels]
    assert found == values.tolist()
    stamps = {(m.header.stamp.sec, m.header.stamp.nanosec) for m in messages.values()}
    assert stamps == {(2, 500_000_000)}
    age = messages["sensor_time"].time_ref
    assert (age.sec, age.nanosec) == (2, 375_000_000)


@pytest.mark.parametrize("robot", ROBOTS)
@pytest.mark.parametrize(("time", "age"), [(2.5, 0.125), (0.1 + 0.2, 1 / 3), (0.05, 0.2)])
def test_what_is_handed_over_is_what_the_messages_tell(robot: str, time: float, age: float) -> None:
    spec = make_robot(robot).spec
    values = np.arange(len(spec.measurement)) / 4
    measurement = Measurement(time, values, age)
    told = MeasurementReader(spec).decode(encoded(robot, measurement))
    handed = as_sent(measurement)
    assert (handed.time, handed.age) == (told.time, told.age)
    assert handed.values.tobytes() == told.values.tobytes()


@pytest.mark.parametrize("robot", ROBOTS)
def test_a_variance_tells_of_each_axis_whether_it_is_measured(robot: str) -> None:
    spec = make_robot(robot).spec
    messages = encoded(robot, Measurement(1.0, np.ones(len(spec.measurement))))
    for variance, value in variances(spec):
        if variance.topic in messages:
            assert variance.get(messages[variance.topic]) == value


def twist_of(odom: Any) -> np.ndarray:
    twist = odom.twist.twist
    return np.array([getattr(part, a) for part in (twist.linear, twist.angular) for a in "xyz"])


def test_the_twist_is_the_change_of_the_pose_seen_from_the_body() -> None:
    """A step of 2 cm along y while the nose looks along y, turning left by .1 rad in .1 s."""
    before, after = np.zeros(18), np.zeros(18)
    before[3:7] = math.cos(math.pi / 4 - 0.05), 0.0, 0.0, math.sin(math.pi / 4 - 0.05)
    after[1], after[3:7] = 0.02, (math.sqrt(0.5), 0.0, 0.0, math.sqrt(0.5))
    odom = encoded("hexapod", Measurement(1.1, after), Measurement(1.0, before))["odom"]
    np.testing.assert_allclose(twist_of(odom), [0.2, 0, 0, 0, 0, 1.0], atol=1e-9)
    diagonal = [odom.twist.covariance[7 * k] for k in range(6)]
    assert diagonal == pytest.approx([2e-4] * 3 + [2e-2] * 3)


def test_the_first_twist_and_one_without_a_pose_are_unknown() -> None:
    broken = np.zeros(18)  # no quaternion
    upright = np.array([0.0, 0.0, 0.0, 1.0, *[0.0] * 14])
    for values, previous in ((upright, None), (broken, Measurement(0.9, upright))):
        odom = encoded("hexapod", Measurement(1.0, values), previous)["odom"]
        assert [odom.twist.covariance[7 * k] for k in range(6)] == [UNKNOWN] * 6
        assert not twist_of(odom).any()


def test_a_planar_robot_tells_its_orientation_and_the_velocity_that_it_measures() -> None:
    spec = make_robot("half_cheetah").spec
    values = np.zeros(18)
    names = [quantity.name for quantity in spec.measurement]
    values[names.index("pitch")], values[names.index("vx")] = math.pi / 2, 3.0
    messages = encoded("half_cheetah", Measurement(1.0, values))
    turn = messages["odom"].pose.pose.orientation
    assert (turn.w, turn.x, turn.y, turn.z) == pytest.approx((math.sqrt(0.5), 0, math.sqrt(0.5), 0))
    assert messages["odom"].header.frame_id == "odom"  # its z is not the map's
    velocity = messages["velocity"]
    assert velocity.header.frame_id == "map"
    assert velocity.vector.x == 3.0 and math.isnan(velocity.vector.y)


def test_a_twist_that_the_robot_measures_itself_stays_as_it_is() -> None:
    known = make_robot("hexapod").spec
    channels = list(known.channels)
    gyro = channels.index("imu.angular_velocity.z")
    channels[gyro] = "odom.twist.twist.angular.z"
    spec = replace(known, channels=tuple(channels))
    blank = Messages(measurement_topics(spec)).blank
    values = np.array([0.0, 0.0, 0.0, 1.0, *[0.5] * 14])
    previous = Measurement(0.9, values - np.eye(18)[0])
    odom = MeasurementMessages(spec, blank).encode(Measurement(1.0, values), previous)["odom"]
    assert twist_of(odom).tolist() == [0, 0, 0, 0, 0, 0.5]
    known = [odom.twist.covariance[7 * k] < UNKNOWN for k in range(6)]
    assert known == [False] * 5 + [True]


def test_velocities_are_differences_over_the_real_interval() -> None:
    spec = make_robot("hexapod").spec
    legs = [spec.channels.index(f"joint_states.position.{k}") for k in range(2)]
    before, after = np.zeros(18), np.zeros(18)
    after[legs] = 1.0, -2.0
    previous = Measurement(1.0, before)
    joints = encoded("hexapod", Measurement(1.2, after), previous)["joint_states"]
    assert list(joints.velocity) == pytest.approx([5.0, -10.0])
    for same in (None, Measurement(1.2, before)):
        assert len(encoded("hexapod", Measurement(1.2, after), same)["joint_states"].velocity) == 0


def test_what_the_battery_does_not_say_is_no_number() -> None:
    battery = encoded("hexapod", Measurement(1.0, np.full(18, 3.9)))["battery"]
    assert battery.voltage == 3.9 and battery.present
    assert math.isnan(battery.percentage) and math.isnan(battery.current)


def test_passive_joints_come_after_those_that_are_commanded() -> None:
    assert joint_names(make_robot("hexapod").spec) == ["left_legs", "right_legs"]
    assert joint_names(make_robot("half_cheetah").spec)[-1] == "pitch"


@pytest.mark.parametrize(
    ("seconds", "parts"), [(0.0, (0, 0)), (1.1, (1, 100_000_000)), (2.9999999999, (3, 0))]
)
def test_times_are_rounded_to_nanoseconds(seconds: float, parts: tuple[int, int]) -> None:
    stamp = SimpleNamespace()
    put_stamp(stamp, nanoseconds(seconds))
    assert (stamp.sec, stamp.nanosec) == parts


def test_a_time_survives_being_written() -> None:
    stamps = np.random.default_rng(0).integers(10**18, 2 * 10**18, 5000)
    times = [int(stamp) / 10**9 for stamp in stamps]
    assert [nanoseconds(time) / 10**9 for time in times] == times
    assert [nanoseconds(time) for time in (1.1, 0.25e-9, 0.0, 17)] == [
        1_100_000_000,
        0,
        0,
        17 * 10**9,
    ]
    with pytest.raises(ValueError, match="NaN"):
        nanoseconds(math.nan)
