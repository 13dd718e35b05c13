"""Ways into messages, for numbers that are measured."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from ros_mbmrl.robots import ROBOTS, make_robot
from ros_mbmrl.robots.channels import Channel, channel, recorded_channels


def test_a_way_is_read_from_its_text() -> None:
    assert channel("odom.pose.pose.position.x") == Channel(
        "odom", ("pose", "pose", "position", "x")
    )
    assert channel("joint_states.position.0") == Channel("joint_states", ("position", 0))


@pytest.mark.parametrize("where", ["poses.points.1.x", "poses.points.1.rows.2"])
def test_what_is_put_is_got_and_nothing_else_changes(where: str) -> None:
    points = [SimpleNamespace(x=float(k), rows=[0.0, 0.0, 0.0]) for k in range(2)]
    message = SimpleNamespace(points=points)
    channel(where).put(message, 7)
    assert channel(where).get(message) == 7.0
    assert points[0] == SimpleNamespace(x=0.0, rows=[0.0, 0.0, 0.0])
    assert points[1].x + points[1].rows[2] == (7.0 if where.endswith("x") else 8.0)


@pytest.mark.parametrize("name", ROBOTS)
def test_no_two_measurements_travel_the_same_way(name: str) -> None:
    channels = make_robot(name).spec.channels
    assert len(set(channels)) == len(channels)


def test_a_recording_from_before_has_velocities_in_odom() -> None:
    spec = make_robot("ant").spec
    before = recorded_channels(spec.channels, ["odom", "joint_states"])
    changed = [pair for pair in zip(spec.channels, before, strict=True) if pair[0] != pair[1]]
    assert len(changed) == 6
    assert ("velocity.vector.x", "odom.twist.twist.linear.x") in changed
    assert ("imu.angular_velocity.z", "odom.twist.twist.angular.z") in changed
    assert recorded_channels(spec.channels, ["odom", "velocity"]) == spec.channels


def test_the_channels_of_other_robots_are_as_they_were() -> None:
    channels = make_robot("hexapod").spec.channels
    assert recorded_channels(channels, ["odom"]) == channels
