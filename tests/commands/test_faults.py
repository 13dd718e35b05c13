"""`mbmrl faults`: what it refuses, and one fault on the real graph."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.plants.topics.conftest import BASE as FILE

# What a leap and a frozen sensor are known by.
GUARDED = "margin: 0.3, max_speed: 1.5, max_turn_rate: 6, live_sensors: [{states: [x, 'y']}]"
BASE = FILE.replace("margin: 0.3", GUARDED)


def faults(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ros_mbmrl.cli", "faults", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=150, check=False)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--graphs", "moon"], "unknown graph 'moon': expected one of composed, gamepad"),
        (["--only", "rain"], "no fault's name holds 'rain'"),
        (["--plant", "serial"], "unknown plant 'serial': expected one of topics, twin"),
        (["--plant", "topics"], "plant topics: expected the file of a robot, got 'hexapod'"),
        (["--model", "m"], "model: expected --plant topics with it"),
        (["half_cheetah"], "half_cheetah: expected --plant topics with it, or hexapod"),
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


@pytest.fixture
def base(tmp_path: Path) -> str:
    """The file of a base."""
    path = tmp_path / "base.yaml"
    path.write_text(BASE)
    return str(path)


def test_faults_of_a_robot_on_its_topics_are_listed(base: str) -> None:
    made = faults(base, "--plant", "topics", "--list")
    assert made.returncode == 0, made.stderr
    assert "topics: /odom: stamps in the past (stops)" in made.stdout.splitlines()
    made = faults(base, "--plant", "topics", "--graphs", "twin")
    assert "unknown graph 'twin': expected one of topics" in made.stderr


def test_faults_of_a_base_on_its_topics(base: str, tmp_path: Path) -> None:
    """Somebody else on its topics: noticed, at rest, and driven again after a reset."""
    pytest.importorskip("rclpy")
    out = tmp_path / "faults.json"
    words = [base, "--plant", "topics", "--only", "second publisher", "--out", str(tmp_path)]
    made = faults(*words, "--json", str(out))
    assert made.returncode == 0, made.stderr
    rows = json.loads(out.read_text())["results"]["rows"]
    assert [row["fault"] for row in rows] == [
        f"/{t}: second publisher" for t in ("odom", "cmd_vel")
    ]
    for row in rows:
        assert row["detected"] and row["stop_s"] is not None, row
        assert (row["unsafe_commands"], row["recovered"]) == (0, True), row


@pytest.mark.slow
@pytest.mark.parametrize("only", ["/cmd_vel", "driver", "/odom"])
def test_more_faults_of_a_base_on_its_topics(only: str, base: str, tmp_path: Path) -> None:
    pytest.importorskip("rclpy")
    out = tmp_path / "faults.json"
    words = [base, "--plant", "topics", "--only", only, "--out", str(tmp_path)]
    made = faults(*words, "--json", str(out))
    assert made.returncode == 0, made.stderr
    for row in json.loads(out.read_text())["results"]["rows"]:
        assert row["detected"] and row["stop_s"] is not None, row
        assert row["unsafe_commands"] == 0 and row["recovered"] is not False, row


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
