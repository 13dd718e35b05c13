"""`ros2 launch`: what it is told where it is not installed, and itself where it is."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ros_mbmrl import bringup
from ros_mbmrl.data.recording import read_messages
from ros_mbmrl.errors import RunError, UserError
from ros_mbmrl.launch_arguments import ARGUMENTS

ROOT = Path(__file__).resolve().parents[2]
EXECUTABLES = ("driver", "safety", "recorder", "teleop")


def context(top: str, here: str, *words: str) -> Any:
    """What `launch` hands to the function of a launch file."""
    source = SimpleNamespace(location=top)
    entities = [SimpleNamespace(launch_description_source=source), SimpleNamespace()]
    event = SimpleNamespace(launch_description=SimpleNamespace(entities=entities))
    known = {"event": event, "current_launch_file_path": here}
    given = dict(word.split(":=", 1) for word in words)
    return SimpleNamespace(
        argv=words, get_locals_as_dict=lambda: known, launch_configurations=given
    )


@pytest.fixture
def nodes(launching: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Makes the nodes of a graph of which no argument is given but on the command line."""
    launching.LaunchConfiguration.perform = lambda self, _: next(
        argument.default for argument in ARGUMENTS["twin"] if argument.name == self.given[0]
    )
    return lambda made: launching._nodes(made, "twin")


@pytest.mark.parametrize("name", [argument.name for argument in ARGUMENTS["twin"]])
def test_every_misspelt_argument_is_refused_with_the_nearest(nodes: Any, name: str) -> None:
    near = name[:1] + name[2:]  # a letter is missing
    with pytest.raises(UserError) as caught:
        nodes(context("/a/twin.launch.py", "/a/twin.launch.py", f"{near}:=5"))
    assert str(caught.value).startswith(f"unknown argument '{near}': expected one of delay, ")
    assert str(caught.value).endswith(f"; did you mean '{name}'?")


def test_arguments_of_launch_itself_and_of_files_that_include_this_one_pass(nodes: Any) -> None:
    here = "/a/twin.launch.py"
    prefix = ("launch-prefix:=nice", "sigterm_timeout:=9", "robot:=hexapod")
    assert len(nodes(context(here, here, *prefix))) == 4
    assert len(nodes(context("/b/all.launch.py", here, "durtion:=5"))) == 4
    nowhere = SimpleNamespace(
        argv=("durtion:=5",), get_locals_as_dict=dict, launch_configurations={}
    )
    assert len(nodes(nowhere)) == 4  # not from a launch file


def test_settings_of_the_planner_pass(launching: Any) -> None:
    launching.LaunchConfiguration.perform = lambda self, _: next(
        argument.default for argument in ARGUMENTS["adapt"] if argument.name == self.given[0]
    )
    here = "/a/adapt.launch.py"
    made = launching._nodes(context(here, here, "planner.horizon:=5"), "adapt")
    (own,) = (n.named["parameters"][-1] for n in made if n.named["executable"] == "adaptive")
    assert own["planner.icem.horizon"] == 5


NEEDED = [each for each in bringup.graph("collect", ["source:=random"]) if not each.optional]


@pytest.mark.parametrize("spec", NEEDED, ids=lambda spec: spec.name)
def test_a_node_that_fails_fails_the_launch(launching: Any, spec: bringup.NodeSpec) -> None:
    on_exit = launching._node(spec).named["on_exit"]
    for status in (1, 2, -9):
        with pytest.raises(RunError, match=f"{spec.name} ended with status {status}"):
            on_exit(SimpleNamespace(returncode=status), None)
    ended = on_exit(SimpleNamespace(returncode=0), None)
    assert (ended is not None) is spec.critical
    assert ended is None or ended.named == {"reason": f"{spec.name} has ended"}


@pytest.mark.parametrize("name", ["view", "robot_state"])
def test_one_who_looks_on_and_fails_ends_nothing(launching: Any, name: str) -> None:
    nodes = bringup.graph("collect", ["source:=random", "view:=foxglove"])
    (spec,) = (each for each in nodes if each.name == name)
    on_exit = launching._node(spec).named["on_exit"]
    for status in (0, 1, 2, -9):
        assert on_exit(SimpleNamespace(returncode=status), None) is None


@pytest.fixture
def ros2_launch(tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    """Starts a launch file as `ros2 launch` does, with the package as an ament prefix has it."""
    if importlib.util.find_spec("ros2launch") is None:
        pytest.skip("ros2 launch is not installed")
    index = tmp_path / "share/ament_index/resource_index/packages"
    index.mkdir(parents=True)
    (index / "ros_mbmrl").touch()
    scripts = tmp_path / "lib/ros_mbmrl"
    scripts.mkdir(parents=True)
    for name in EXECUTABLES:
        script = f'#!/bin/sh\nexec {sys.executable} -m ros_mbmrl.nodes.{name} "$@"\n'
        (scripts / name).write_text(script)
        (scripts / name).chmod(0o755)
    code = (
        "import sys\nfrom ros2launch.api import launch_a_launch_file\n"
        "sys.exit(launch_a_launch_file(launch_file_path=sys.argv[1],"
        " launch_file_arguments=sys.argv[2:], noninteractive=True))"
    )
    prefix = os.pathsep.join([str(tmp_path), os.environ.get("AMENT_PREFIX_PATH", "")])

    def start(graph: str, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", code, str(ROOT / f"launch/{graph}.launch.py"), *words],
            env={**os.environ, "AMENT_PREFIX_PATH": prefix, "ROS_LOG_DIR": str(tmp_path / "log")},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=tmp_path,
        )

    return start


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["duration:=1"], 0, "robot at rest"),
        (["startup_timeout:=0"], 1, "driver ended with status 2"),
        (["recording:=there.mcap"], 1, "recorder ended with status 2"),
        (["durtion:=5"], 1, "did you mean 'duration'?"),
        (["duration:=ages"], 1, "duration: expected seconds from 0 up, got 'ages'"),
    ],
)
def test_the_status_of_ros2_launch(
    ros2_launch: Any, tmp_path: Path, words: list[str], status: int, said: str
) -> None:
    (tmp_path / "there.mcap").touch()
    launched = ros2_launch("collect", "source:=random", *words)
    out, _ = launched.communicate(timeout=120)
    assert launched.returncode == status, out
    assert said in out and "Traceback" not in out


def test_a_node_that_is_killed_fails_ros2_launch_and_the_recording_is_closed(
    ros2_launch: Any, tmp_path: Path
) -> None:
    launched = ros2_launch("collect", "source:=random", "recording:=run.mcap")
    pids, out = {}, []
    for line in launched.stdout:
        out.append(line)
        if "process started with pid" in line:
            pids[line.split("[")[2].split("-")[0]] = int(line.rsplit("[", 1)[1].rstrip("]\n"))
        if "first command" in line:
            os.kill(pids["safety"], signal.SIGKILL)
    assert launched.wait(60) == 1, out
    assert any("safety ended with status -9" in line for line in out)
    run = tmp_path / "run.mcap"
    assert run.read_bytes().endswith(b"\x89MCAP0\r\n")
    assert any(recorded.topic.endswith("command/safe") for recorded in read_messages(run))
