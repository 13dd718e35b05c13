"""Faults of a robot on its topics: those that its file has a part for."""

from __future__ import annotations

from pathlib import Path

import pytest

from ros_mbmrl.faults.robot_faults import played_robot, robot_faults
from ros_mbmrl.robots.described.reading import parse_description
from tests.plants.topics.conftest import ARM, BASE


def names(text: str, proposer: str = "teleop") -> set[str]:
    faults = robot_faults(parse_description(text, Path("r.yaml")), proposer)
    found = {fault.name for fault in faults}
    assert len(found) == len(faults)
    return found


def test_a_base_has_all_that_a_base_can_have() -> None:
    found = names(BASE)
    kinds = ("silent", "frozen", "nan", "jumped", "second publisher", "stamps in the past")
    assert {f"/odom: {kind}" for kind in (*kinds, "stamps in the future")} <= found
    kinds = ("second publisher", "nobody takes it", "taken as another type")
    assert {f"/cmd_vel: {kind}" for kind in kinds} <= found
    assert {"driver: SIGKILL", "teleop: SIGSTOP", "safety stop service", "robot: gone"} <= found
    assert not any("joint" in name for name in found)


def test_an_arm_can_lose_a_joint_and_has_no_pose_to_jump() -> None:
    found = names(ARM, "adaptive")
    assert "/joint_states: joint missing" in found and "adaptive: SIGSTOP" in found
    assert not any("jumped" in name for name in found)


def test_stamps_that_do_not_count_are_left_out() -> None:
    text = BASE.replace("nav_msgs/msg/Odometry}", "nav_msgs/msg/Odometry, stamped: false}")
    assert not any("stamps" in name for name in names(text))


def bounds(text: str) -> dict[str, float]:
    faults = robot_faults(parse_description(text, Path("r.yaml")), "teleop")
    return {fault.name: fault.bound for fault in faults}


def test_bounds_of_a_base_at_ten_hertz() -> None:
    assert set(bounds(BASE).values()) == {0.25}


def test_an_arm_comes_to_rest_a_period_after_its_last_position() -> None:
    assert bounds(ARM)["/joint_states: silent"] == pytest.approx(0.35)
    assert set(bounds(ARM).values()) == {bounds(ARM)["/joint_states: silent"]}


def test_who_drives() -> None:
    """A model where there is one; else a gamepad what it can steer, and chance the rest."""
    base, arm = (parse_description(t, Path("r.yaml")) for t in (BASE, ARM))
    played = played_robot(base, "m", "mb", 0.2)
    assert (played.graph, played.proposer) == ("adapt", "adaptive")
    assert {"plant:=topics", "model:=m", "method:=mb"} <= set(played.words)
    assert "source:=joystick" in played_robot(base, "", "", 0.2).words
    played = played_robot(arm, "", "", 0.2)
    assert "source:=random" in played.words and played.proposer == "teleop"
