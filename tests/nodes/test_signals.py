"""Signals to nodes: one or many, at any moment, they end cleanly and the recording is closed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

from ros_mbmrl.bringup import FIRST_COMMAND, NodeSpec, graph
from ros_mbmrl.data.recording import recording_info
from ros_mbmrl.ros_environment import environment
from ros_mbmrl.supervisor import command_line

pytest.importorskip("rclpy")

PATIENCE = 60.0  # [s] for processes to start, or to end
APART = 0.25  # [s] between the signals of an impatient person
INT, TERM, HUP = signal.SIGINT, signal.SIGTERM, signal.SIGHUP


def _variables() -> dict[str, str]:
    return environment(os.environ)


def _send(group: int, kinds: Sequence[signal.Signals]) -> None:
    for kind in kinds:
        try:
            os.killpg(group, kind)
        except ProcessLookupError:
            return
        time.sleep(APART)  # as a person does


def _start(specs: Sequence[NodeSpec], log: Path) -> list[subprocess.Popen[bytes]]:
    """One process group, as a terminal's Ctrl-C meets it under `ros2 launch`."""
    variables, group = _variables(), 0
    processes = []
    with log.open("wb") as stream:
        for spec in specs:
            processes.append(
                subprocess.Popen(
                    command_line(spec),
                    env=variables,
                    stdin=subprocess.DEVNULL,
                    stdout=stream,
                    stderr=stream,
                    preexec_fn=partial(os.setpgid, 0, group),
                )
            )
            group = group or processes[0].pid
    return processes


def _until_driven(log: Path) -> None:
    end = time.monotonic() + PATIENCE
    while FIRST_COMMAND not in log.read_text():
        assert time.monotonic() < end, log.read_text()
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("name", "word", "kinds"),
    [
        ("adapt", "method:=mb", [INT, INT]),
        ("collect", "source:=random", [INT] * 5),
        ("collect", "source:=random", [INT, TERM]),
        ("collect", "source:=random", [HUP, INT]),
    ],
)
def test_many_signals_end_the_nodes_as_one_does(
    tmp_path: Path, name: str, word: str, kinds: list[signal.Signals]
) -> None:
    path, log = tmp_path / "run.mcap", tmp_path / "log"
    specs = graph(name, [word, f"recording:={path}"])
    processes = _start(specs, log)
    try:
        _until_driven(log)
        _send(processes[0].pid, kinds)
        codes = {s.name: p.wait(PATIENCE) for s, p in zip(specs, processes, strict=True)}
    finally:
        for process in processes:
            process.kill()
            process.wait()
    assert set(codes.values()) == {0}, (codes, log.read_text())
    assert recording_info(path).complete
    assert "Traceback" not in log.read_text()


@pytest.mark.parametrize("kinds", [[INT, INT], [INT, TERM]])
def test_the_supervisor_takes_many_as_one(tmp_path: Path, kinds: list[signal.Signals]) -> None:
    path, log = tmp_path / "run.mcap", tmp_path / "log"
    words = ["launch", "collect", "source:=random", f"recording:={path}"]
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "ros_mbmrl.cli", *words, "--json", str(tmp_path / "json")],
            env=_variables(),
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            start_new_session=True,
        )
    _until_driven(log)
    _send(process.pid, kinds)
    assert process.wait(PATIENCE) == 0, log.read_text()
    codes = json.loads((tmp_path / "json").read_text())["results"]["exit_codes"]
    assert set(codes.values()) == {0}
    assert recording_info(path).complete
    assert "Traceback" not in log.read_text()


@pytest.mark.parametrize("kind", [INT, TERM, HUP])
@pytest.mark.parametrize("name", ["adaptive", "driver", "recorder", "reference", "safety"])
def test_a_node_that_is_ended_while_it_starts_is_silent(
    tmp_path: Path, name: str, kind: signal.Signals
) -> None:
    words = [sys.executable, "-X", "importtime", "-m", f"ros_mbmrl.nodes.{name}", "--ros-args"]
    with subprocess.Popen(
        [*words, "-r", "__ns:=/hexapod"],
        env=_variables(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
    ) as process:
        assert process.stderr is not None
        lines = iter(process.stderr.readline, "")
        assert any(line.endswith("| ros_mbmrl.nodes\n") for line in lines)  # its handlers stand
        process.send_signal(kind)
        said = [line for line in process.stderr if not line.startswith("import time:")]
        assert (process.wait(PATIENCE), said) == (0, [])
