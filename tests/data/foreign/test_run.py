"""A run at the control rate: cut at jumps, moved apart, and our own recordings bit for bit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ros_mbmrl.data.foreign.layout import graph_layout, layout_of
from ros_mbmrl.data.foreign.run import ForeignRun, make_rule, make_run
from ros_mbmrl.data.foreign.samples import NANO, read_samples
from ros_mbmrl.errors import UserError
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.spec import Robot

Bag = Callable[..., Path]
START = 1_700_000_000 * NANO


def driven(times: Any, stamps: Any) -> list[tuple[Any, ...]]:
    """A base that drives at .5 m/s: odometry with stamps, commands without, at receive times."""
    rows: list[tuple[Any, ...]] = []
    for time, stamp in zip(times, stamps, strict=True):
        ns = START + round(stamp * NANO)
        header = {"stamp": {"sec": ns // NANO, "nanosec": ns % NANO}}
        place = {"pose": {"position": {"x": 0.5 * stamp}, "orientation": {"w": 1.0}}}
        moves = {"twist": {"linear": {"x": 0.5}}}
        odometry = {"header": header, "pose": place, "twist": moves}
        rows.append(("/odom", "nav_msgs/msg/Odometry", START + round(time * NANO), odometry))
        command = {"linear": {"x": 0.5}}
        rows.append(("/cmd_vel", "geometry_msgs/msg/Twist", START + round(time * NANO), command))
    return rows


@pytest.fixture
def run(write_bag: Bag, tmp_path: Path, base: Robot) -> Callable[..., ForeignRun]:
    def made(times: Any, stamps: Any, **rule: float) -> ForeignRun:
        path = write_bag(tmp_path / "bag", driven(times, stamps), "mcap") / "bag.mcap"
        layout = layout_of(base)
        return make_run(path, read_samples(path, layout), layout, make_rule(layout, **rule))

    return made


def test_a_run_is_as_it_was(run: Any) -> None:
    times = 0.1 * np.arange(40)
    found = run(times, times)
    (only,) = found.stretches
    assert (found.ticks, found.clock, found.jumps) == (40, "stamps", ())
    assert found.seconds == pytest.approx(3.9)
    np.testing.assert_allclose(only.measurements[:, 0], 0.5 * times)
    np.testing.assert_array_equal(only.commands, [[0.5, 0.0]] * 40)
    assert found.notes == ("ticks: the times of /odom",)


def test_a_small_jump_back_is_cut_and_later_times_are_moved(run: Any) -> None:
    times = 0.1 * np.arange(200)
    stamps = np.where(times < 10.0, times, times - 0.5)
    found = run(times, stamps)
    before, after = found.stretches
    assert int(after.times[0] - before.times[-1]) == 2 * NANO // 10
    assert len(before.times) + len(after.times) == 200
    assert len(found.jumps) == 1
    assert any(note.startswith("clock jump of +0.500 s at ") for note in found.notes)


def test_a_clock_that_began_anew_stays_as_it_is(run: Any) -> None:
    times = 0.1 * np.arange(100)
    found = run(np.concatenate([times, times + 20]), np.concatenate([times, times]))
    before, after = found.stretches
    assert before.times[0] == after.times[0] == START


def test_gaps_are_told(run: Any) -> None:
    times = np.delete(0.1 * np.arange(100), range(50, 60))
    found = run(times, times)
    assert [len(each.times) for each in found.stretches] == [50, 40]
    assert found.notes[-1] == "cut at 1 place, 1.10 s in all left out"


def test_topics_that_never_meet_are_refused(write_bag: Bag, tmp_path: Path, base: Robot) -> None:
    layout = layout_of(base)
    path = write_bag(tmp_path / "bag", driven([0.0], [0.0])) / "bag.db3"
    with pytest.raises(UserError, match="no two control steps in a row: the topics /odom, /cmd_v"):
        make_run(path, read_samples(path, layout), layout, make_rule(layout))


def test_positions_become_rates_where_the_robot_takes_positions(
    write_bag: Bag, tmp_path: Path, robot_file: Callable[[str], Path]
) -> None:
    text = """
name: servo
kind: arm
period: 0.1
topics:
  joints: {name: /joint_states, type: sensor_msgs/msg/JointState}
  targets: {name: targets, type: std_msgs/msg/Float64MultiArray}
joints: {topic: joints, names: [hip]}
commands:
  topic: targets
  values:
    hip: {field: "data[0]", unit: rad/s, low: -2.0, high: 2.0, integrates: hip}
tasks:
  rest: {goal: {hip: 0.0}}
"""
    layout = layout_of(make_robot(str(robot_file(text))))
    assert layout.topics == ("/joint_states", "/servo/targets")
    rows: list[Any] = []
    for k in range(10):
        at = START + k * NANO // 10
        stamp = {"stamp": {"sec": at // NANO, "nanosec": at % NANO}}
        joints = {"header": stamp, "name": ["hip"], "position": [0.05 * k], "velocity": [0.5]}
        rows.append(("/joint_states", "sensor_msgs/msg/JointState", at, joints))
        target = {"data": [0.05 * k + 0.08]}
        rows.append(("/servo/targets", "std_msgs/msg/Float64MultiArray", at, target))
    path = write_bag(tmp_path / "bag", rows) / "bag.db3"
    found = make_run(path, read_samples(path, layout), layout, make_rule(layout))
    # From where it is, then from target to target, as the plant integrates commands.
    expected = [[0.8], *[[0.5]] * 9]
    np.testing.assert_allclose(found.stretches[0].commands, expected)


def test_by_default_three_periods_are_a_gap() -> None:
    layout = graph_layout(make_robot("hexapod").spec)
    rule = make_rule(layout)
    assert (rule.period, rule.gap, rule.hold) == (0.1, pytest.approx(0.3), pytest.approx(0.3))
