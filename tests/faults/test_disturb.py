"""What disturbances make of messages; the messages themselves stay as they were."""

from __future__ import annotations

import math
from copy import deepcopy
from types import SimpleNamespace
from typing import Any

import pytest

from ros_mbmrl.faults.disturb import HUGE, JUMP, KINDS, LATE, Fields, make
from ros_mbmrl.robots.hexapod import SPEC

FIELDS = Fields(SPEC)
NAMES = ["left_legs", "right_legs"]


def stamped(sec: int = 50, **fields: Any) -> Any:
    stamp = SimpleNamespace(sec=sec, nanosec=7)
    return SimpleNamespace(header=SimpleNamespace(stamp=stamp), **fields)


def joints(left: float = 1.0, sec: int = 50) -> Any:
    return stamped(sec, name=list(NAMES), position=[left, 2.0], velocity=[3.0, 4.0], effort=[])


def odom(x: float = 1.0) -> Any:
    position = SimpleNamespace(x=x, y=2.0, z=0.1)
    orientation = SimpleNamespace(w=0.5, x=0.1, y=0.2, z=0.3)
    return stamped(
        pose=SimpleNamespace(pose=SimpleNamespace(position=position, orientation=orientation))
    )


@pytest.mark.parametrize("kind", KINDS)
def test_no_message_is_changed_in_place(kind: str) -> None:
    message = odom() if kind in ("jumped", "mirrored") else joints()
    if kind == "sagging":
        message = stamped(voltage=3.9)
    before = deepcopy(message)
    make(kind, "joint_states", FIELDS)(message)
    assert message == before


@pytest.mark.parametrize(("kind", "value"), [("inf", math.inf), ("huge", HUGE)])
def test_every_number_of_a_command(kind: str, value: float) -> None:
    ((delay, changed),) = make(kind, "command/safe", FIELDS)(joints())
    assert delay == 0.0
    assert changed.velocity == [value, value]
    assert changed.position == [1.0, 2.0]  # hexapods are commanded in velocity


def test_the_measured_numbers_of_a_state() -> None:
    ((_, changed),) = make("nan", "joint_states", FIELDS)(joints())
    assert all(math.isnan(value) for value in changed.position)
    assert changed.velocity == [3.0, 4.0]  # finite differences, for people to look at


def test_silence_delay_and_duplicates() -> None:
    message = joints()
    assert make("silent", "odom", FIELDS)(message) == []
    assert make("delayed", "odom", FIELDS)(message) == [(LATE, message)]
    assert [each for _, each in make("duplicated", "odom", FIELDS)(message)] == [message] * 3


def test_reordered_messages_come_in_pairs_the_wrong_way_round() -> None:
    disturb = make("reordered", "odom", FIELDS)
    out = [each for k in range(4) for each in disturb(joints(sec=k))]
    assert [message.header.stamp.sec for _, message in out] == [1, 0, 3, 2]


def test_a_frozen_sensor_repeats_its_last_reading_under_new_stamps() -> None:
    disturb = make("frozen", "joint_states", FIELDS, last=joints(left=9.0))
    ((_, changed),) = disturb(joints(left=1.0, sec=60))
    assert (changed.position[0], changed.header.stamp.sec) == (9.0, 60)


def test_names_and_sizes() -> None:
    ((_, small),) = make("wrong_size", "command/safe", FIELDS)(joints())
    assert (small.velocity, small.name) == ([3.0], NAMES)
    ((_, named),) = make("wrong_names", "command/safe", FIELDS)(joints())
    assert not set(named.name) & set(NAMES)


@pytest.mark.parametrize(("kind", "seconds"), [("clock_ahead", JUMP), ("clock_back", -JUMP)])
def test_clocks(kind: str, seconds: int) -> None:
    ((_, changed),) = make(kind, "joint_states", FIELDS)(joints())
    assert changed.header.stamp.sec == 50 + seconds


def test_poses() -> None:
    ((_, jumped),) = make("jumped", "odom", FIELDS)(odom())
    assert (jumped.pose.pose.position.x, jumped.pose.pose.position.y) == (1.5, 1.6)
    ((_, mirrored),) = make("mirrored", "odom", FIELDS)(odom())
    pose = mirrored.pose.pose
    assert (pose.position.y, pose.orientation.z, pose.orientation.y) == (-2.0, -0.3, 0.2)


def test_encoders_and_battery() -> None:
    stuck = make("stuck", "joint_states", FIELDS, last=joints(0.5))
    assert [stuck(joints(left))[0][1].position[0] for left in (1.0, 2.0)] == [0.5, 0.5]
    wrapped = make("wrapped", "joint_states", FIELDS)
    assert wrapped(joints(7.0))[0][1].position[0] == pytest.approx(7.0 - 2 * math.pi)
    sagging = make("sagging", "battery", FIELDS)
    volts = [sagging(stamped(voltage=3.9))[0][1].voltage for _ in range(20)]
    assert volts[:2] == pytest.approx([3.8, 3.7])
    assert volts[-1] == 3.0


def test_one_message_in_three_is_wild() -> None:
    wild = make("wild", "joint_states", FIELDS)
    values = [wild(joints())[0][1].position[0] for _ in range(6)]
    assert values == [600.0, 1.0, 1.0] * 2
