"""Tables of people without ROS: each mistake is told with its line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ros_mbmrl.data.foreign.run import make_rule, make_run
from ros_mbmrl.data.foreign.table import read_table, table_layout
from ros_mbmrl.errors import UserError
from ros_mbmrl.robots.spec import Robot

HEAD = "time,note,shoulder,elbow,shoulder_velocity,elbow_velocity,command_shoulder,command_elbow\n"
ROW = "{:.2f},fine,{:.3f},-1,0.2,0.1,0.5,0.25\n"


def text(rows: int = 20) -> str:
    return HEAD + "".join(ROW.format(0.05 * k, 0.01 * k) for k in range(rows))


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_table_is_read_in_the_robots_order(arm: Robot, tmp_path: Path, delimiter: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text("\ufeff" + text().replace(",", delimiter).replace("\n", "\r\n") + "\n")
    layout = table_layout(arm.spec)
    found = make_run(path, read_table(path, layout), layout, make_rule(layout))
    (only,) = found.stretches
    names = [quantity.name for quantity in arm.spec.measurement]
    values = dict(zip(names, only.measurements.T, strict=True))
    np.testing.assert_allclose(values["shoulder"], 0.01 * np.arange(20))
    np.testing.assert_array_equal(values["elbow"], -1)
    np.testing.assert_array_equal(only.commands, [[0.5, 0.25]] * 20)
    np.testing.assert_array_equal(only.times, 50_000_000 * np.arange(20))
    assert found.notes == ("ticks: the times of rows",)


def test_an_empty_cell_was_not_measured(arm: Robot, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    lines = text().splitlines()
    lines[5] = lines[5].replace("-1", "")
    path.write_text("\n".join(lines))
    (samples,) = read_table(path, table_layout(arm.spec))
    assert np.isnan(samples.values[4, 1]) and np.isfinite(samples.values).sum() == 20 * 6 - 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: "", "a.csv: expected a header with time, shoulder, elbow"),
        (
            lambda t: t.replace("elbow_velocity", "elbows"),
            "a.csv:1: column 'elbow_velocity' is miss",
        ),
        (lambda t: t.replace("note", "elbow"), "a.csv:1: column 'elbow' is there more than once"),
        (lambda t: t.replace("0.150", "fast"), "a.csv:17: shoulder: expected a number, got 'fast'"),
        (
            lambda t: t.replace("0.35,fine", "0.2,fine"),
            r"a.csv:9: time: .* row before, 0.3 s, got 0",
        ),
        (lambda t: t.replace("0.35,fine", ",fine"), "a.csv:9: time: expected seconds from 0 to"),
        (
            lambda t: t.replace("0.35,fine", "0.35"),
            "a.csv:9: expected 8 cells as in the header, got 7",
        ),
        (lambda t: t.replace("0.35,fine", '0.35,"fi'), "a.csv:21: unexpected end of data"),
        (
            lambda t: t.replace("0.35,fine", "0.35,\0"),
            "a.csv:9: expected a line of text of a table",
        ),
        (lambda t: t.splitlines()[0], "a.csv: expected two rows or more, got 0"),
        (lambda t: t.replace("-1,0.2", ",0.2"), "a.csv: column 'elbow' has no number in any row"),
    ],
)
def test_mistakes_have_lines(arm: Robot, tmp_path: Path, change: object, words: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text(change(text()))  # type: ignore[operator]
    with pytest.raises(UserError, match=words) as caught:
        read_table(path, table_layout(arm.spec))
    assert "\n" not in str(caught.value)


def test_decimal_commas_are_noticed(arm: Robot, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(text().replace(",", ";").replace(".", ","))
    with pytest.raises(UserError, match=r"a.csv:2: time: expected a number \(a point, not a comma"):
        read_table(path, table_layout(arm.spec))


def test_what_is_no_text_is_refused(arm: Robot, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(HEAD.encode() + b"\xff\xfe\n")
    with pytest.raises(UserError, match=r"a.csv: not UTF-8 text"):
        read_table(path, table_layout(arm.spec))
    with pytest.raises(UserError, match=r"b.csv: cannot be read"):
        read_table(tmp_path / "b.csv", table_layout(arm.spec))


def test_a_base_may_have_its_heading_as_an_angle(base: Robot, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(
        "time,x,y,yaw,speed,yaw_rate,forward,turn\n"
        "1.0,0,0,3.0,.5,.1,.5,.1\n1.1,0.05,0,-3.0,.5,.1,.5,.1\n"
    )
    (samples,) = read_table(path, table_layout(base.spec))
    names = [column.name for column in samples.columns]
    values = dict(zip(names, samples.values.T, strict=True))
    np.testing.assert_allclose(values["qw"], np.cos([1.5, -1.5]))
    np.testing.assert_allclose(values["qz"], np.sin([1.5, -1.5]))
    np.testing.assert_array_equal(values["qx"], [0, 0])
    path.write_text("time,x,y,speed,yaw_rate,forward,turn\n")
    with pytest.raises(UserError, match="a.csv:1: column 'qw' is missing"):
        read_table(path, table_layout(base.spec))
