"""`mbmrl check robot`: what it shows, and one line with status 2 for every mistake."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

pytest.importorskip("geometry_msgs")

from ros_mbmrl import cli
from ros_mbmrl.robots.described.known import VARIABLE
from tests.plants.topics.conftest import ARM as TRAJECTORY_ARM
from tests.robots.described.examples import ARM, BASE, CART


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No robot is known; the file lies in the working folder."""
    monkeypatch.setenv(VARIABLE, "")
    monkeypatch.chdir(tmp_path)


def test_it_shows_what_the_file_says(capsys: pytest.CaptureFixture[str]) -> None:
    Path("base.yaml").write_text(BASE)
    cli.main(["check", "robot", "base.yaml", "--json", "report.json"])
    said = capsys.readouterr().out
    assert "base: planar_base, a step each 0.1 s" in said
    assert "/odom: twist.twist.linear.x" in said and "/cmd_vel: angular.z" in said
    assert "plants: topics" in said and "tasks: straight, left, zigzag, figure8" in said
    found = json.loads(Path("report.json").read_text())["results"]
    assert found["features"] == ["speed", "yaw_rate"]
    assert found["changes"] == ["forward", "left", "yaw", "speed", "yaw_rate"]
    assert found["commands"][0] == {
        "name": "speed",
        "unit": "m/s",
        "low": -0.3,
        "high": 0.6,
        "rate": 3.0,
        "sink": "/cmd_vel: linear.x",
    }
    assert found["measured"][6] == {
        "name": "speed",
        "unit": "m/s",
        "source": "/odom: twist.twist.linear.x",
        "channel": "odom.twist.twist.linear.x",
    }
    assert found["notes"] == []


def test_it_shows_factors_integrals_and_what_is_seldom_meant() -> None:
    Path("arm.yaml").write_text(TRAJECTORY_ARM.replace("topics:", f"topics:\n{UNUSED}"))
    cli.main(["check", "robot", "arm.yaml", "--json", "report.json"])
    found = json.loads(Path("report.json").read_text())["results"]
    path = "/controller/joint_trajectory: points[0].positions[elbow] (elbow, integrated)"
    assert found["commands"][1]["sink"] == path
    assert found["notes"] == [
        "topic 'x' is not used",
        "envelope.state_limits: none of shoulder",
    ]
    Path("cart.yaml").write_text(CART)
    cli.main(["check", "robot", "cart.yaml", "--json", "report.json"])
    found = json.loads(Path("report.json").read_text())["results"]
    assert found["measured"][4]["source"] == "/state: data[4] x 0.001"


UNUSED = "  x: {name: /x, type: std_msgs/msg/Bool}"
# (file, what is written there, what is written instead, the message)
WRONG = [
    # The form of the file: all of it in tests/robots/described/test_reading.py.
    (BASE, "period: 0.1", "period: [", "robot.yaml: not plain YAML"),
    (BASE, "name: base", "name: base\nname: base", "robot.yaml:2: name: stands twice"),
    (BASE, "unit: m/s", "unit: km/h", "commands.values.speed.unit: expected one of"),
    (BASE, "low: -0.3", "low: 0.9", "speed.low: expected a number below high, 0.6, got 0.9"),
    (BASE, "twist.angular.z\n", "twist.linear.x\n", "come from one field"),
    (BASE, "field: angular.z", "field: linear.x", "'yaw_rate' and 'speed' go to one field"),
    (ARM, "square(elbow_velocity)", "1 / elbow", "tasks.slow.cost: expected a finite cost"),
    # Types and fields: all of it in tests/data/test_described_topics.py.
    (BASE, "nav_msgs/msg/Odometry", "my_msgs/msg/Legs", "topics.odom.type: unknown message type"),
    (BASE, "twist.linear.x", "twist.linear.ahead", "measured.speed: .*has no 'ahead'"),
    (BASE, "unit: rad/s", "unit: m/s", "'yaw_rate' is in m/s, but angular.z"),
    # What belongs to other parts of the package.
    (BASE, "kind: planar_base", "kind: planar_base\nplanner: mpi", "3: planner: unknown planner"),
    (BASE, "kind: planar_base", "kind: planar_base\nmethod: rebl", "3: method: unknown method"),
    (BASE, "kind: planar_base", "kind: planar_base\nsafety: {jmps: 3}", "3: safety: .*jmps"),
    (ARM, "shoulder: 0.5, w", "shoulder: 1.6, w", "shoulder 1.6 is outside of its limits, -1.5 to"),
]


@pytest.mark.parametrize(("text", "old", "new", "message"), WRONG)
def test_a_mistake_is_one_line_and_status_2(
    text: str, old: str, new: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert old in text
    Path("robot.yaml").write_text(text.replace(old, new, 1))
    with pytest.raises(SystemExit) as status:
        cli.main(["check", "robot", "robot.yaml"])
    assert status.value.code == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "robot.yaml:" in said
    assert re.search(message, said), said


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["robot", "none.yaml"], "none.yaml: cannot be read"),
        (["robot", "robot.txt"], "robot.txt: expected a file that ends in .yaml or .yml"),
    ],
)
def test_a_file_that_is_not_there_or_is_none(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as status:
        cli.main(["check", *words])
    assert status.value.code == 2
    assert message in capsys.readouterr().err


def test_a_robot_of_python_code_keeps_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    Path("robot.yaml").write_text(BASE.replace("name: base", "name: hexapod", 1))
    with pytest.raises(SystemExit):
        cli.main(["check", "robot", "robot.yaml"])
    assert "'hexapod' is a robot of Python code: expected another name" in capsys.readouterr().err
