"""`mbmrl new robot`: every way ends with a file that `mbmrl check robot` takes, or in one line."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip("geometry_msgs")
pytest.importorskip("trajectory_msgs")

from ros_mbmrl import cli
from ros_mbmrl.robots.described.known import VARIABLE
from ros_mbmrl.robots.described.reading import read_description
from ros_mbmrl.share import sim_path
from tests.simulation.test_model_draft import CART


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No robot is known, nobody is there to ask, and files go to a folder of their own."""
    monkeypatch.setenv(VARIABLE, "")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(isatty=lambda: False))


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A person at the terminal; the questions that were asked are what is left of the answers."""
    given: list[str] = []
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr("builtins.input", lambda question: given.pop(0))
    return given


URDF = ["--from-urdf", str(sim_path("urdf/pr2_arm.urdf"))]


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["--kind", "planar_base", "--state", "/o", "--command", "/c", "--largest", "1", "2"],
        ["--command-type", "geometry_msgs/msg/TwistStamped", "--period", "0.05"],
        ["--kind", "arm", "--joints", "a", "b", "--takes", "position"],
        ["--kind", "arm", "--joints", "a", "b-c", "--takes", "velocity", "--largest", "2"],
        URDF,
        [*URDF, "--takes", "effort", "--joints", "l_wrist_flex_joint", "l_elbow_flex_joint"],
    ],
)
def test_what_is_written_passes_the_check(words: list[str]) -> None:
    cli.main(["new", "robot", "mine", *words, "--json", "report.json"])
    report = json.loads(Path("report.json").read_text())
    assert report["results"] == {"robot": "mine", "file": "mine.yaml"}
    cli.main(["check", "robot", "mine.yaml"])


def test_a_model_is_found_from_where_the_file_lies() -> None:
    Path("models").mkdir()
    Path("models/cart.xml").write_text(CART)
    cli.main(["new", "robot", "cart", "--from-mjcf", "models/cart.xml", "--out", "files/c.yaml"])
    found = read_description(Path("files/c.yaml"))
    assert found.twin is not None
    assert found.twin.items()["model"].value == "../models/cart.xml"


def test_options_are_in_the_file() -> None:
    words = ["--state", "/o", "--command", "/c", "--largest", "1", "2", "--period", "0.2"]
    cli.main(["new", "robot", "mine", *words])
    found = read_description(Path("mine.yaml"))
    assert [topic.name for topic in found.topics.values()] == ["/o", "/c"]
    assert [limit.high for limit in found.action] == [1.0, 2.0] and found.period == 0.2


def test_joints_of_a_urdf_in_the_order_that_was_asked_for() -> None:
    names = ["l_wrist_flex_joint", "l_elbow_flex_joint"]
    cli.main(["new", "robot", "mine", *URDF, "--joints", *names])
    assert list(read_description(Path("mine.yaml")).joints) == names


def test_a_base_by_answers(answers: list[str]) -> None:
    answers += ["", "0.2", "/odometry", "", "0.8", ""]
    cli.main(["new", "robot", "mine"])
    found = read_description(Path("mine.yaml"))
    assert answers == [] and found.kind == "planar_base" and found.period == 0.2
    assert [topic.name for topic in found.topics.values()] == ["/odometry", "/cmd_vel"]
    assert [limit.high for limit in found.action] == [0.8, 1.0]


def test_an_arm_by_answers(answers: list[str]) -> None:
    answers += ["arm", "", "a, b", "position", "", "/jtc"]
    cli.main(["new", "robot", "mine"])
    found = read_description(Path("mine.yaml"))
    assert answers == [] and found.joints == ("a", "b")
    assert found.topics["command"].name == "/jtc"


def test_nothing_is_ever_overwritten(capsys: pytest.CaptureFixture[str]) -> None:
    Path("mine.yaml").write_text("precious")
    with pytest.raises(SystemExit) as status:
        cli.main(["new", "robot", "mine"])
    assert status.value.code == 2
    assert "mine.yaml: is there already: expected a new file" in capsys.readouterr().err
    assert Path("mine.yaml").read_text() == "precious"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["My-Robot"], "name: expected small letters, digits and _"),
        (["hexapod"], "'hexapod' is a robot of Python code: expected another name"),
        (["mine", "--out", "mine.txt"], "mine.txt: expected a file that ends in .yaml or .yml"),
        (["mine", "--kind", "arm"], "expected --joints: there is no terminal to ask on"),
        (["mine", "--kind", "arm", "--joints", "a", "a", "--takes", "effort"], "each name once"),
        (["mine", "--kind", "arm", "--joints", "a"], "expected --takes: there is no terminal"),
        (["mine", *URDF, "--joints", "elbow"], "unknown joint of .*'elbow': expected one of"),
        (["mine", *URDF, "--largest", "1", "2"], "largest: expected 1 or 7 numbers, got 2"),
        (["mine", *URDF, "--from-bag", "b"], "expected one of --from-bag, --from-urdf"),
        (["mine", "--from-urdf", "none.urdf"], "none.urdf: cannot be read"),
        (["mine", "--from-bag", "none"], "none"),
        (["mine", "--from-mjcf", "none.xml"], "none.xml: not a model that MuJoCo loads"),
        (
            ["mine", *URDF, "--kind", "arm"],
            "--kind is not heeded with --from-urdf",
        ),
        (["mine", "--joints", "a"], "--joints is not heeded with a planar_base"),
        (
            ["mine", "--from-mjcf", "m.xml", "--state", "/o"],
            "--state is not heeded with",
        ),
        (["mine", "--state", "odom"], "topics.odom.name: 'odom' is the graph's own"),
        (["mine", "--command-type", "my_msgs/msg/Legs"], "unknown message type 'my_msgs/msg/Legs'"),
    ],
)
def test_a_mistake_is_one_line_and_status_2(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    import re

    with pytest.raises(SystemExit) as status:
        cli.main(["new", "robot", *words])
    said = capsys.readouterr().err
    assert status.value.code == 2 and said.count("\n") == 1
    assert re.search(message, said), said
    assert not Path("mine.yaml").exists()


@pytest.mark.parametrize(
    ("given", "message"),
    [(["hovercraft"], "unknown kind 'hovercraft'"), (["", "-1"], "expected a number above 0")],
)
def test_a_wrong_answer_is_told(
    given: list[str],
    message: str,
    answers: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    answers += given
    with pytest.raises(SystemExit):
        cli.main(["new", "robot", "mine"])
    assert message in capsys.readouterr().err
