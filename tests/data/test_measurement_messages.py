"""Measurements as messages, without a middleware: every number in its place, none made up."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from ros_mbmrl.collection.messages import Messages
from ros_mbmrl.data.measurement_messages import (
    MeasurementMessages,
    joint_names,
    measurement_topics,
    nanoseconds,
    put_stamp,
    unmeasured_variances,
)
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
def test_a_variance_tells_of_each_axis_that_is_not_measured(robot: str) -> None:
    spec = make_robot(robot).spec
    messages = encoded(robot, Measurement(1.0, np.ones(len(spec.measurement))))
    for variance in unmeasured_variances(spec):
        if variance.topic in messages:
            assert variance.get(messages[variance.topic]) == -1.0


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
