"""A start that failed leaves nothing, and the same command can be given again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from ros_mbmrl.bringup import FIRST_COMMAND, graph
from ros_mbmrl.data.recording import recording_info
from ros_mbmrl.ros_environment import environment
from ros_mbmrl.supervisor import command_line

pytest.importorskip("rclpy")

PATIENCE = 90.0  # [s] for a graph to start, or to end


def _launch(words: Sequence[str], folder: Path, log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as stream:
        return subprocess.Popen(
            [sys.executable, "-m", "ros_mbmrl.cli", "launch", *words],
            env={**os.environ, "TMPDIR": str(folder)},
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
    log = tmp_path.with_suffix(".log")
    for recording in ("new/folder/run.mcap", "new/folder/run.mcap", "kept/run.mcap"):
        process = _launch([*words, f"recording:={recording}"], tmp_path, log)
        assert process.wait(PATIENCE) == 1, log.read_text()
        locks = list(tmp_path.glob("*.lock"))
        assert sorted(each.name for each in tmp_path.iterdir() if each not in locks) == before
        assert not list((tmp_path / "kept").iterdir())
    said = log.read_text()
    assert said.count(expected) == 3
    assert "is there already" not in said and "Traceback" not in said


def _nodes(recording: Path, log: Path) -> list[subprocess.Popen[bytes]]:
    """The nodes alone, without the lock of `mbmrl launch`: as `ros2 launch` starts them."""
    variables = environment(os.environ)
    with log.open("wb") as stream:
        return [
            subprocess.Popen(command_line(spec), env=variables, stdout=stream, stderr=stream)
            for spec in graph("collect", ["source:=random", f"recording:={recording}"])
        ]


def _end(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        process.send_signal(signal.SIGINT)
    for process in processes:
        process.wait(PATIENCE)


def test_a_refused_second_graph_keeps_nothing_of_the_first(tmp_path: Path, domain: int) -> None:
    paths, logs = ([tmp_path / f"{k}.{end}" for k in range(2)] for end in ("mcap", "log"))
    first, second = _nodes(paths[0], logs[0]), []
    try:
        end = time.monotonic() + PATIENCE
        while FIRST_COMMAND not in logs[0].read_text():
            assert time.monotonic() < end, logs[0].read_text()
            time.sleep(0.05)
        second = _nodes(paths[1], logs[1])
        assert second[-1].wait(PATIENCE) == 1  # its driver
        assert f"already runs in ROS domain {domain}" in logs[1].read_text()
        _end(second)
        assert first[-1].poll() is None
    finally:
        _end(first + second)
    assert recording_info(paths[0]).complete
    assert not paths[1].exists()


def test_what_another_run_says_does_not_make_a_recording_worth_keeping(
    tmp_path: Path, context: Any
) -> None:
    from rclpy.parameter import Parameter
    from rclpy.serialization import serialize_message

    from ros_mbmrl.nodes.messages import diagnostics, status
    from ros_mbmrl.nodes.recorder import RecorderNode
    from ros_mbmrl.topics import topic

    for k, word in enumerate(("/run", "/other/run", "/run2", "")):
        path = tmp_path / f"{k}.mcap"
        values = (("path", str(path)), ("run", "/run"))
        given = [Parameter(name, value=value) for name, value in values]
        node = RecorderNode(context=context, parameter_overrides=given)
        data = serialize_message(diagnostics(0, status("driver", "timing", "", {"run": word})))
        node._on_bytes("/diagnostics", topic("/diagnostics"), data, {"source_timestamp": 1})
        node.close()
        node.destroy_node()
        assert path.exists() is (k == 0)
