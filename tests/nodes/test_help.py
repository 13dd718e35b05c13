"""What a node answers to words that are not ROS's."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import fields
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("rclpy")
from rclpy.parameter import Parameter

from ros_mbmrl.errors import UserError
from ros_mbmrl.nodes import help as helping
from ros_mbmrl.nodes.process import Ending
from ros_mbmrl.plugins import imported
from ros_mbmrl.topics import TOPICS, TRANSFORMS

ROOT = Path(__file__).resolve().parents[2]
OF_STATE = {topic.name for topic in TOPICS if topic.qos == "state"} - {
    *("adaptation", "plan", "plan/candidates", "reference/set")
}


def executables() -> tuple[str, ...]:
    """What `ros2 run` knows, as `setup.py` has it."""
    for line in ast.parse((ROOT / "setup.py").read_text()).body:
        if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == "NODES":
            return tuple(ast.literal_eval(line.value))
    raise AssertionError("setup.py names no nodes")


@pytest.mark.parametrize("name", executables())
@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_every_node_says_what_it_reads(
    name: str, flag: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert helping.answer([f"lib/{name}", flag, "--ros-args", "-r", "__ns:=/x"]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"{name}: ")
    for where in helping.NODES[name].parameters:
        for field in fields(imported(f"{helping.PACKAGE}.{where}")):
            assert f"  {field.name}: " in out or f"  {field.name}.*: " in out
    for topic in (*helping.NODES[name].takes, *helping.NODES[name].gives):
        assert f"  {topic}" in out


@pytest.mark.parametrize(
    "words",
    [[], ["--ros-args"], ["--ros-args", "-p", "--help:=1"], ["--ros-args", "-p", "x", "--"]],
)
def test_words_of_ros_start_the_node(words: Sequence[str]) -> None:
    assert helping.answer(["driver", *words]) is None


@pytest.mark.parametrize(
    ("words", "unknown"),
    [
        (["-p", "robot:=hexapod"], "-p"),
        (["robot:=hexapod"], "robot:=hexapod"),  # rcl takes it for a remapping and says nothing
        (["__ns:=/hexapod"], "__ns:=/hexapod"),
        (["--verbose", "--ros-args"], "--verbose"),
        ([""], ""),
        (["--ros-args", "-p", "x:=1", "--", "left over"], "left over"),
    ],
)
@pytest.mark.parametrize("name", executables())
def test_other_words_are_refused(name: str, words: list[str], unknown: str) -> None:
    with pytest.raises(UserError, match=f"^{name}: unexpected '{unknown}': expected --help, or "):
        helping.answer([f"/x/{name}.py", *words])


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [(["--help"], 0, "command/safe"), (["robot:=pr2_arm"], 2, "unexpected 'robot:=pr2_arm'")],
)
def test_a_process_answers_without_starting(words: list[str], status: int, said: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ros_mbmrl.nodes.driver", *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == status
    assert said in done.stdout + done.stderr
    assert "Traceback" not in done.stderr and "at rest" not in done.stdout


def made(name: str, context: Any, tmp_path: Path) -> list[Any]:
    """The nodes of a process."""
    from ros_mbmrl.nodes.collector import CollectorNode
    from ros_mbmrl.nodes.controller import ControllerNode, ControllerParameters
    from ros_mbmrl.nodes.driver import DriverNode
    from ros_mbmrl.nodes.dynamics import DynamicsNode, DynamicsParameters
    from ros_mbmrl.nodes.links import WHOLE, Links
    from ros_mbmrl.nodes.recorder import RecorderNode
    from ros_mbmrl.nodes.reference import ReferenceNode
    from ros_mbmrl.nodes.robot_state import RobotStateNode
    from ros_mbmrl.nodes.safety import SafetyNode
    from ros_mbmrl.nodes.teleop import TeleopNode
    from ros_mbmrl.nodes.view import ViewNode

    def given(**values: Any) -> dict[str, Any]:
        overrides = [Parameter(key, value=value) for key, value in values.items()]
        return {"context": context, "parameter_overrides": overrides}

    model = str(ROOT / "models/hexapod/mb")
    if name == "composed":
        links = Links(WHOLE, measured=True)
        planned = given(model=model, candidates=24)
        return [
            ControllerNode(DynamicsParameters, links=links, **planned),
            DynamicsNode(ControllerParameters, links=links, **planned),
            SafetyNode(links=links, **given()),
            DriverNode(Ending(), links=links, **given(autostart=False)),
        ]
    if name == "adaptive":
        return [
            ControllerNode(DynamicsParameters, **given(model=model, candidates=24)),
            DynamicsNode(ControllerParameters, **given(model=model)),
        ]
    if name == "recorder":
        return [RecorderNode(**given(path=str(tmp_path / "run.mcap")))]
    if name == "view":
        return [ViewNode(**given(port=0))]
    if name == "driver":
        return [DriverNode(Ending(), **given(autostart=False))]
    if name == "teleop":
        return [TeleopNode(Ending(), **given())]
    if name == "collector":
        return [CollectorNode(Ending(), **given(learning=str(tmp_path)))]
    kinds = {"safety": SafetyNode, "reference": ReferenceNode, "robot_state": RobotStateNode}
    return [kinds[name](**given())]


@pytest.mark.parametrize("name", executables())
def test_the_topics_in_the_help_are_the_nodes(
    name: str, context: Any, tmp_path: Path, until: Callable[[Callable[[], bool]], None]
) -> None:
    nodes = made(name, context, tmp_path)
    about = helping.NODES[name]

    def offered() -> set[str]:
        each = ((node, node.get_name(), node.get_namespace()) for node in nodes)
        return {t for n, *own in each for t, _ in n.get_service_names_and_types_by_node(*own)}

    # The middleware learns of a process's own nodes in a thread of its own.
    until(lambda: {f"/{service}" for service in about.services} <= offered())
    takes: set[str] = set()
    gives: set[str] = set()
    for node in nodes:
        own = [node.get_name(), node.get_namespace()]
        takes |= {t for t, _ in node.get_subscriber_names_and_types_by_node(*own)}
        gives |= {t for t, _ in node.get_publisher_names_and_types_by_node(*own)}
    for found, told in ((takes, about.takes), (gives, about.gives)):
        names = {known.name for known in (*TOPICS, *TRANSFORMS)}
        here = {t for t in found if t in names} | {t[1:] for t in found if t[1:] in names}
        if name in ("recorder", "view") and found is takes:
            assert here == {known.name for known in TOPICS}  # transforms they make themselves
            continue
        if name == "robot_state" and find_spec("tf2_msgs") is None:
            assert here == ({"robot_description"} if found is gives else set())
            continue
        states = here & OF_STATE
        assert (helping.STATE in told) is bool(states)
        assert here - states == {topic for topic in told if topic != helping.STATE}
    for node in nodes:
        node.close()
        node.destroy_node()
