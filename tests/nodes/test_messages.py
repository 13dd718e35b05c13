"""Conversions lose nothing."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("rclpy")

from ros_mbmrl.nodes import messages as m
from ros_mbmrl.robots.hexapod import SPEC

finite = st.floats(allow_nan=False, allow_infinity=False)


@given(st.integers(0, 26 * 86400 * m.NANO))
def test_stamps_survive_seconds(stamp: int) -> None:
    assert m.nanoseconds(m.seconds(stamp)) == stamp
    assert m.from_stamp(m.to_stamp(stamp)) == stamp


@given(st.tuples(finite, finite), st.integers(0, 10**15))
def test_commands_survive(action: tuple[float, float], stamp: int) -> None:
    message = m.command_message(SPEC, np.array(action), stamp)
    got_stamp, got = m.read_command(SPEC, message)
    assert got_stamp == stamp
    assert got is not None and got.tobytes() == np.array(action).tobytes()


def test_commands_are_read_by_name() -> None:
    message = m.command_message(SPEC, np.array([1.0, 2.0]), 0)
    message.name = ["right_legs", "left_legs"]
    assert m.read_command(SPEC, message)[1].tolist() == [2.0, 1.0]


def test_no_plan_is_a_command_without_names() -> None:
    assert m.read_command(SPEC, m.command_message(SPEC, None, 7)) == (7, None)


@pytest.mark.parametrize("names", [["left_legs"], ["left_legs", "tail"], ["left_legs"] * 2])
def test_commands_of_other_joints_are_refused(names: list[str]) -> None:
    message = m.command_message(SPEC, np.array([1.0, 2.0]), 0)
    message.name = names
    with pytest.raises(ValueError, match="expected"):
        m.read_command(SPEC, message)


@given(st.floats())
def test_diagnostics_keep_floats(value: float) -> None:
    array = m.diagnostics(3, m.status("driver", "timing", "hexapod", {"x": value}))
    text = m.read_status(array, "driver: timing", "hexapod")
    assert text is not None
    np.testing.assert_array_equal(float(text["x"]), value)
    assert array.status[0].hardware_id == "hexapod"
    assert m.read_status(array, "driver: mood", "hexapod") is None
    assert m.read_status(array, "driver: timing", "half_cheetah") is None


def test_paths_keep_points_and_headings() -> None:
    points = np.array([[0.1, 0.2, 0.0], [0.3, 0.4, np.pi / 2]])
    message = m.path_message(points, 0)
    assert (m.read_path(message) == points[:, :2]).all()
    q = message.poses[1].pose.orientation
    assert (q.z, q.w) == pytest.approx((np.sqrt(0.5), np.sqrt(0.5)))
    assert message.header.frame_id == "map"


def test_a_number_that_is_none_is_nan() -> None:
    values = {"here": "0.5", "wild": "rm -rf"}
    assert m.read_number(values, "here") == 0.5
    assert math.isnan(m.read_number(values, "wild")) and math.isnan(m.read_number(values, "gone"))


def test_each_line_of_diagnostics_has_its_analyzer() -> None:
    """Of the groups in `config/diagnostics.yaml`, each line fits one, by how its name begins."""
    file = Path(__file__).parents[2] / "config" / "diagnostics.yaml"
    groups = yaml.safe_load(file.read_text())["/**"]["ros__parameters"]
    for robot in ("hexapod", "pr2_arm", "half_cheetah", "ant", "arm_7dof"):
        analyzers = groups[robot]["analyzers"].values()
        for node, task in (
            *(("driver", "timing"), ("driver", "plant"), ("controller", "timing")),
            *(("controller", "echo"), ("safety", "state")),
        ):
            name = m.status(node, task, robot, {}).name
            assert name == f"{robot}/{node}: {task}"
            fits = [each for each in analyzers if name.startswith(each["startswith"][0])]
            assert [each["path"] for each in fits] == [node]
