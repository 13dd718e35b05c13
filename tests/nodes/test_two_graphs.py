"""Two robots in one ROS domain: each behaves as if it were alone."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rclpy")

from ros_mbmrl.data.step_reader import read_run
from ros_mbmrl.data.steps import Run

ROBOTS = ("hexapod", "half_cheetah")
Reported = Callable[[str], tuple[list[str], Path]]


def start(recording: Path, *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "ros_mbmrl.cli", "launch", "adapt", "method:=mb", *words]
    return subprocess.Popen(
        [*command, f"recording:={recording}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=recording.parent,
    )


def ended(launch: subprocess.Popen[str], recording: Path) -> Run:
    said, _ = launch.communicate(timeout=1500)
    assert launch.returncode == 0, said
    return read_run(recording)


def beside(words: Mapping[str, Sequence[str]], folder: Path) -> Iterator[tuple[str, Run]]:
    """Runs of both robots at the same time."""
    paths = {robot: folder / f"{robot}-beside.mcap" for robot in ROBOTS}
    launches = {robot: start(path, *words[robot]) for robot, path in paths.items()}
    for robot, launch in launches.items():
        yield robot, ended(launch, paths[robot])


def same(one: Run, other: Run) -> None:
    assert len(one.steps) == len(other.steps)
    proposals = 0
    for a, b in zip(one.steps, other.steps, strict=True):
        np.testing.assert_array_equal(a.measurement, b.measurement)
        np.testing.assert_array_equal(a.command, b.command)
        # On a busy machine the recorder may be found after the first proposals.
        if a.proposed is not None and b.proposed is not None:
            np.testing.assert_array_equal(a.proposed, b.proposed)
            proposals += 1
    assert proposals >= 0.8 * len(one.steps)


def test_in_lockstep_they_are_bit_for_bit_what_they_are_alone(
    tmp_path: Path, reported: Reported
) -> None:
    alone = {robot: reported(robot) for robot in ROBOTS}
    for robot, run in beside({robot: words for robot, (words, _) in alone.items()}, tmp_path):
        same(run, read_run(alone[robot][1] / "mb.mcap"))


@pytest.mark.slow
def test_so_they_are_after_a_minute(tmp_path: Path) -> None:
    tasks = {"hexapod": "path:=figure8", "half_cheetah": "task:=run"}
    words = {
        robot: [f"robot:={robot}", task, "lockstep:=true", "duration:=60"]
        for robot, task in tasks.items()
    }
    paths = {robot: tmp_path / f"{robot}-alone.mcap" for robot in ROBOTS}
    alone = {robot: ended(start(path, *words[robot]), path) for robot, path in paths.items()}
    for robot, run in beside(words, tmp_path):
        same(run, alone[robot])
