"""A start that failed leaves nothing, and the same command can be given again."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from ros_mbmrl.bringup import FIRST_COMMAND
from ros_mbmrl.data.recording import recording_info

pytest.importorskip("rclpy")

PATIENCE = 90.0  # [s] for a graph to start, or to end


def _launch(words: Sequence[str], domain: int, folder: Path, log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as stream:
        return subprocess.Popen(
            [sys.executable, "-m", "ros_mbmrl.cli", "launch", *words],
            env={**os.environ, "ROS_DOMAIN_ID": str(domain), "TMPDIR": str(folder)},
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            cwd=folder,
        )


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("twin", "startup_timeout:=1"), " 1 s"),
        (("twin", "startup_timeout:=0.01"), " 0.01 s"),
    ],
)
def test_a_start_that_failed_can_be_tried_again(
    tmp_path: Path, words: tuple[str, ...], expected: str
) -> None:
    (tmp_path / "kept").mkdir()
    before = sorted(each.name for each in tmp_path.iterdir())
    domain, log = random.randrange(1, 100), tmp_path.with_suffix(".log")
    for recording in ("new/folder/run.mcap", "new/folder/run.mcap", "kept/run.mcap"):
        process = _launch([*words, f"recording:={recording}"], domain, tmp_path, log)
        assert process.wait(PATIENCE) == 1, log.read_text()
        locks = list(tmp_path.glob("*.lock"))
        assert sorted(each.name for each in tmp_path.iterdir() if each not in locks) == before
        assert not list((tmp_path / "kept").iterdir())
    said = log.read_text()
    assert said.count(expected) == 3
    assert "is there already" not in said and "Traceback" not in said


def test_a_refused_second_launch_keeps_nothing_of_the_first(tmp_path: Path) -> None:
    domain = random.randrange(1, 100)
    folders = [tmp_path / name for name in ("first", "second")]  # and with them, the locks
    for folder in folders:
        folder.mkdir()
    logs = [tmp_path / f"{folder.name}.log" for folder in folders]
    words = ["collect", "source:=random", "recording:=run.mcap"]
    processes = [_launch(words, domain, folders[0], logs[0])]
    try:
        end = time.monotonic() + PATIENCE
        while FIRST_COMMAND not in logs[0].read_text():
            assert time.monotonic() < end, logs[0].read_text()
            time.sleep(0.05)
        processes.append(_launch(words, domain, folders[1], logs[1]))
        assert processes[1].wait(PATIENCE) == 1
        assert "has more than one publisher" in logs[1].read_text()
        assert not list(folders[1].glob("*.mcap"))
    finally:
        for process in processes:
            process.terminate()
            process.wait(PATIENCE)
    assert recording_info(folders[0] / "run.mcap").complete
