"""`mbmrl faults`: what it refuses, and one fault on the real graph."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest


def faults(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ros_mbmrl.cli", "faults", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=150, check=False)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--graphs", "moon"], "unknown graph 'moon': expected one of gamepad, launch"),
        (["--only", "rain"], "no fault's name holds 'rain'"),
    ],
)
def test_bad_input_is_one_line(words: list[str], said: str) -> None:
    made = faults(*words)
    assert made.returncode == 2
    assert said in made.stderr
    assert len(made.stderr.splitlines()) == 1


def test_a_list_of_what_there_is() -> None:
    made = faults("--list", "--graphs", "pty")
    assert made.returncode == 0
    assert "pty: radio: silent (stops)" in made.stdout.splitlines()


def test_one_fault_on_the_real_graph(tmp_path: Path) -> None:
    pytest.importorskip("rclpy")
    out = tmp_path / "faults.json"
    words = ["--graphs", "twin", "--only", "command/safe: nan", "--out", str(tmp_path)]
    made = faults(*words, "--json", str(out))
    assert made.returncode == 0, made.stderr
    (row,) = json.loads(out.read_text())["results"]["rows"]
    assert row["detected"]
    assert row["stop_s"] is not None
    assert (row["unsafe_commands"], row["recovered"]) == (0, True)
    assert (tmp_path / "faults.md").read_text().count("\n") == 3
    assert (tmp_path / "faults.png").stat().st_size > 0
