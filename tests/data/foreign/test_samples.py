"""Numbers of a robot's topics: by joints' names, in SI units, and what is missing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ros_mbmrl.data.foreign.layout import layout_of
from ros_mbmrl.data.foreign.samples import DENSEST, Samples, partial, read_samples
from ros_mbmrl.errors import UserError
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.spec import Robot
from tests.data.foreign.conftest import BASE

Bag = Callable[..., Path]
JOINTS, ARRAY = "sensor_msgs/msg/JointState", "std_msgs/msg/Float64MultiArray"
NAMES = ["elbow", "gripper", "shoulder"]


def joints(time: int, names: list[str] = NAMES, **fields: list[float]) -> tuple[Any, ...]:
    stamp = {"sec": time // 10**9, "nanosec": time % 10**9}
    return (
        "/joint_states",
        JOINTS,
        time + 1000,
        {"header": {"stamp": stamp}, "name": names, **fields},
    )


def effort(time: int, *data: float) -> tuple[Any, ...]:
    return "/efforts", ARRAY, time, {"data": list(data)}


@pytest.fixture
def read(write_bag: Bag, tmp_path: Path, arm: Robot) -> Callable[..., dict[str, Samples]]:
    def made(rows: list[tuple[Any, ...]]) -> dict[str, Samples]:
        path = write_bag(tmp_path / "bag", rows) / "bag.db3"
        return {each.topic: each for each in read_samples(path, layout_of(arm))}

    return made


def test_joints_are_found_by_name_in_any_order(read: Any) -> None:
    rows = [joints(10**9, position=[1, 2, 3], velocity=[4, 5, 6]), effort(10**9 + 5, 0.5, 0.8)]
    rows += [joints(2 * 10**9, NAMES[::-1], position=[3, 2, 1], velocity=[6, 5, 4])]
    found = read(rows)
    state = found["/joint_states"]
    assert [column.name for column in state.columns] == [
        *("shoulder", "elbow", "shoulder_velocity", "elbow_velocity"),
    ]
    np.testing.assert_array_equal(state.values, [[3, 1, 6, 4], [3, 1, 6, 4]])
    assert state.stamps.tolist() == [10**9, 2 * 10**9]
    assert state.received.tolist() == [10**9 + 1000, 2 * 10**9 + 1000]
    assert state.order.tolist() == [1, 2]  # as SQLite gives them, by receive time
    np.testing.assert_array_equal(found["/efforts"].values, [[0.5, 0.4]])
    assert found["/efforts"].stamps is None


def test_two_publishers_of_joints_complete_each_other(read: Any) -> None:
    """An arm's and a gripper's driver share a topic, each with its own joints."""
    rows = [effort(1, 0, 0)]
    for k in range(4):
        rows.append(joints(10**9 * (k + 1), NAMES[::2], position=[1, 3], velocity=[4, 6]))
        rows.append(joints(10**9 * (k + 1) + 5, ["gripper"], position=[2], velocity=[5]))
    found = read(rows)["/joint_states"]
    assert np.isfinite(found.values).all(axis=1).tolist() == [True, False] * 4
    assert partial([found])[1] == ("/joint_states: 4 of 8 messages without elbow (position[elbow])")


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (
            [joints(1, ["elbow", "gripper"], position=[1, 2], velocity=[1, 2])],
            r"/joint_states: shoulder \(position\[shoulder\]\): joint 'shoulder': expected it "
            "among the message's, which are elbow, gripper",
        ),
        (
            [joints(1, position=[1, 2, 3])],
            r"shoulder_velocity \(velocity\[shoulder\]\): velocity\[shoulder\]: the message has 0 "
            "values for 3 joints",
        ),
        (
            [joints(1, position=[1, 2, float("nan")], velocity=[1, 2, 3])],
            r"shoulder \(position\[shoulder\]\): it is never a finite number",
        ),
    ],
)
def test_a_joint_that_is_in_no_message_is_named(read: Any, rows: Any, words: str) -> None:
    with pytest.raises(UserError, match=words):
        read([effort(1, 0, 0), *rows])


def test_what_is_not_in_the_bag_or_otherwise_is_said(
    write_bag: Bag, tmp_path: Path, base: Robot
) -> None:
    layout = layout_of(base)
    rows: list[Any] = [("/odom", "nav_msgs/msg/Odometry", 1, {})]
    path = write_bag(tmp_path / "a", rows) / "a.db3"
    with pytest.raises(UserError, match="a.db3: nothing on /cmd_vel: expected /odom, /cmd_vel of"):
        read_samples(path, layout)
    stamped = "geometry_msgs/msg/TwistStamped"
    path = write_bag(tmp_path / "b", [*rows, ("/cmd_vel", stamped, 1, {})]) / "b.db3"
    with pytest.raises(
        UserError, match=f"/cmd_vel holds {stamped}: expected geometry_msgs/msg/Twist, as rover has"
    ):
        read_samples(path, layout)


@pytest.mark.parametrize("stamped", [False, True])
def test_either_twist_is_read_where_the_file_says_twist(
    write_bag: Bag, tmp_path: Path, robot_file: Callable[[str], Path], stamped: bool
) -> None:
    robot = make_robot(str(robot_file(BASE.replace("geometry_msgs/msg/Twist", "twist"))))
    twist = {"linear": {"x": 0.5}}
    kind, fields = ("TwistStamped", {"twist": twist}) if stamped else ("Twist", twist)
    rows: list[Any] = [("/odom", "nav_msgs/msg/Odometry", 1, {})]
    rows += [("/cmd_vel", f"geometry_msgs/msg/{kind}", 2, fields)]
    path = write_bag(tmp_path / "a", rows) / "a.db3"
    (commands,) = (each for each in read_samples(path, layout_of(robot)) if "cmd" in each.topic)
    assert commands.values[0].tolist() == [0.5, 0.0]


def test_only_so_many_samples_a_period_are_kept(read: Any) -> None:
    """A second of 10 kHz: 20 periods."""
    rows = [effort(1, 0, 0)]
    for k in range(10_000):
        rows.append(joints(10**9 + 100_000 * k, position=[k, 0, k], velocity=[0, 0, 0]))
    found = read(rows)["/joint_states"]
    assert len(found.order) <= 20 * (2 * DENSEST + 1)
    assert np.diff(found.stamps).max() <= 0.05e9 / DENSEST
    assert found.values[-1, 0] == 9999
    np.testing.assert_array_equal(found.values[:, 0], (found.stamps - 10**9) / 100_000)
