"""Two robots in one ROS domain: each behaves as if it were alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rclpy")

from ros_mbmrl.data.step_reader import read_run
from ros_mbmrl.data.steps import Run

ROBOTS = {"hexapod": "path:=figure8", "half_cheetah": "task:=run"}


def start(robot: str, recording: Path, *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "ros_mbmrl.cli", "launch", "adapt", f"robot:={robot}"]
    command += [ROBOTS[robot], "method:=mb", f"recording:={recording}", *words]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=recording.parent
    )


def ended(launch: subprocess.Popen[str], recording: Path) -> Run:
    said, _ = launch.communicate(timeout=1500)
    assert launch.returncode == 0, said
    return read_run(recording)


@pytest.mark.parametrize("duration", [3, pytest.param(60, marks=pytest.mark.slow)])
def test_in_lockstep_they_are_bit_for_bit_what_they_are_alone(
    tmp_path: Path, duration: int
) -> None:
    words = ("lockstep:=true", f"duration:={duration}")
    alone = {}
    for robot in ROBOTS:
        path = tmp_path / f"{robot}-alone.mcap"
        alone[robot] = ended(start(robot, path, *words), path)
    paths = {robot: tmp_path / f"{robot}-beside.mcap" for robot in ROBOTS}
    launches = {robot: start(robot, path, *words) for robot, path in paths.items()}
    for robot, launch in launches.items():
        beside, single = ended(launch, paths[robot]), alone[robot]
        assert len(beside.steps) == len(single.steps)
        proposals = 0
        for one, other in zip(beside.steps, single.steps, strict=True):
            np.testing.assert_array_equal(one.measurement, other.measurement)
            np.testing.assert_array_equal(one.command, other.command)
            # On a busy machine the recorder may be found after the first proposals.
            if one.proposed is not None and other.proposed is not None:
                np.testing.assert_array_equal(one.proposed, other.proposed)
                proposals += 1
        assert proposals >= 0.8 * len(single.steps)
