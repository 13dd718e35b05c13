"""`mbmrl data` on bags of anybody's robot."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ros_mbmrl import cli

START = 1_700_000_000 * 10**9


@pytest.fixture
def bag(write_bag: Callable[..., Path], tmp_path: Path) -> Path:
    """A base's odometry at 20 Hz, with a gap, and its commands at 5 Hz; compressed by message."""
    rows: list[tuple[str, str, int, dict[str, Any]]] = []
    for k in [*range(60), *range(80, 140)]:
        time = START + k * 50_000_000
        stamp = {"sec": time // 10**9, "nanosec": time % 10**9}
        pose = {"pose": {"position": {"x": 0.01 * k}}}
        odometry = {"header": {"stamp": stamp}, "pose": pose}
        rows.append(("/odom", "nav_msgs/msg/Odometry", time + 10**7, odometry))
        if k % 4 == 0:
            twist = {"linear": {"x": 0.2}}
            rows.append(("/cmd_vel", "geometry_msgs/msg/Twist", time, twist))
    return write_bag(tmp_path / "drive", rows, "sqlite3", "message")


def results(tmp_path: Path, *words: str) -> dict[str, Any]:
    cli.main([*words, "--json", str(tmp_path / "report.json")])
    found: dict[str, Any] = json.loads((tmp_path / "report.json").read_text())["results"]
    return found


def test_info_tells_topics_gaps_and_clocks(
    bag: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (row,) = results(tmp_path, "data", "info", str(bag))["rows"]
    odometry = row["topics"]["/odom"]
    assert row["robot"] == "" and row["complete"]
    assert (odometry["type_name"], odometry["messages"]) == ("nav_msgs/msg/Odometry", 120)
    assert (odometry["gaps"], odometry["longest"]) == (1, pytest.approx(1.05))
    assert odometry["behind"] == pytest.approx(0.01)
    assert row["topics"]["/cmd_vel"]["stamped"] is False
    out = capsys.readouterr().out
    assert "drive.db3: no topic of a known robot, 7.0 s" in out
    assert "gaps: /odom: 1 of 3 periods or more, the longest 1.05 s, 3.0 s in" in out


def test_plot_draws_the_numbers_of_topics(bag: Path, tmp_path: Path) -> None:
    out = tmp_path / "plots"
    words = ("data", "plot", str(bag), "--topics", "/odom", "/cmd_vel", "--out", str(out))
    found = results(tmp_path, *words)
    assert {"pose.pose.position.x", "twist.twist.linear.x"} <= set(found["numbers"]["/odom"])
    assert {path.name for path in out.iterdir()} == {"odom.png", "cmd_vel.png", "data.html"}


@pytest.mark.parametrize("what", ["ls", "check", "plot"])
def test_what_needs_a_known_robot_says_so_in_a_line(
    bag: Path, capsys: pytest.CaptureFixture[str], what: str
) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(["data", what, str(bag)])
    error = capsys.readouterr().err
    assert caught.value.code == 2 and error.count("\n") == 1
    assert "no topic of a known robot: expected those of one of" in error
    assert "`mbmrl import bag`" in error
