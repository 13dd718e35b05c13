"""The control path in one process: who is in it, and that it controls in real time."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("rclpy")
pytest.importorskip("mujoco")
from ros_mbmrl import bringup
from ros_mbmrl.data.recording import read_messages
from ros_mbmrl.supervisor import supervise


def test_it_controls_in_real_time_and_all_is_recorded(tmp_path: Path) -> None:
    recording = tmp_path / "run.mcap"
    words = ["composed:=true", "method:=mb", "duration:=2", f"recording:={recording}"]
    lines: list[str] = []
    summary = supervise(bringup.graph("adapt", words), echo=lines.append)
    assert (summary.status, summary.exit_codes) == (0, dict.fromkeys(summary.exit_codes, 0)), lines
    assert {"composed", "recorder", "reference"} <= summary.exit_codes.keys()
    assert not {"driver", "safety", "adaptive"} & summary.exit_codes.keys()
    stamps: dict[str, set[int]] = {}
    for each in read_messages(recording, None):
        header = getattr(each.message, "header", None)
        if header is not None:
            stamp = header.stamp.sec * 1_000_000_000 + header.stamp.nanosec
            stamps.setdefault(each.topic.removeprefix("/hexapod/"), set()).add(stamp)
    # Each command answers a state that was recorded, too, on all of its topics.
    for name in ("odom", "joint_states", "imu", "sensor_time", "adaptation"):
        assert stamps["command/safe"] <= stamps[name], name
    assert stamps["command/safe"] <= stamps["command/proposed"] | stamps["odom"]
    assert stamps["command/heard"] >= stamps["command/safe"]


def test_a_real_robots_driver_stays_apart() -> None:
    words = ["robot:=pr2_arm", "plant:=rosbridge", "composed:=true", "port:=ws://localhost:1"]
    nodes = {node.name: node for node in bringup.graph("adapt", words)}
    assert {"composed", "driver"} <= nodes.keys() and "safety" not in nodes
    assert nodes["composed"].parameters["drives"] is False
    assert nodes["driver"].parameters["plant"] == "rosbridge"
