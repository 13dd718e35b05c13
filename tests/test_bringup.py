"""The graph as data: arguments are checked before anything is started."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ros_mbmrl import bringup
from ros_mbmrl.errors import UserError


def specs(tmp_path: Path, *words: str) -> dict[str, bringup.NodeSpec]:
    nodes = bringup.graph("adapt", [f"model:={tmp_path}", *words])
    return {node.name: node for node in nodes}


def test_the_graph_of_adapt(tmp_path: Path) -> None:
    nodes = specs(tmp_path, "duration:=40", "fault:=leg_left_middle@20", "threads:=2")
    assert set(nodes) == {"safety", "adaptive", "reference", "recorder", "driver"}
    assert {node.namespace for node in nodes.values()} == {"/hexapod"}
    assert [name for name, node in nodes.items() if node.needs_torch] == ["adaptive"]
    assert [name for name, node in nodes.items() if node.ends_last] == ["recorder"]
    assert nodes["driver"].parameters["duration"] == 40.0
    assert nodes["driver"].parameters["fault"] == "leg_left_middle@20"
    assert nodes["adaptive"].parameters["threads"] == 2
    awaited = str(nodes["driver"].parameters["await_nodes"]).split(",")
    assert set(awaited) == {"safety", "dynamics", "reference", "recorder"}
    assert nodes["safety"].parameters["await_nodes"] == "driver,recorder"
    assert nodes["adaptive"].parameters["await_nodes"] == "safety,recorder"
    assert [Path(path).name for path in nodes["driver"].parameter_files] == ["hexapod.yaml"]


def test_without_recording_there_is_no_recorder(tmp_path: Path) -> None:
    nodes = specs(tmp_path, "record:=false")
    assert "recorder" not in nodes
    assert nodes["safety"].parameters["await_nodes"] == "driver"


@pytest.mark.parametrize("graph", ["collect", "twin"])
def test_the_other_graphs_do_without_torch(graph: str) -> None:
    nodes = bringup.graph(graph, [])
    assert not any(node.needs_torch for node in nodes)
    assert {"driver", "safety", "recorder"} <= {node.name for node in nodes}
    assert next(n for n in nodes if n.name == "safety").parameters["adaptation"] is False


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("speed:=3", "unknown argument 'speed': expected one of"),
        ("robot:=cat", "unknown robot 'cat': expected one of ant"),
        ("plant:=moon", "unknown plant 'moon'"),
        ("path:=home", "unknown path 'home': expected one of"),
        ("controller:=pid", "unknown controller 'pid'"),
        ("terrain:=lava", "lava"),
        ("fault:=leg_left_middle@-1", "-1"),
        ("fault:=flat_tyre@3", "unknown fault 'flat_tyre'"),
        ("duration:=long", "duration: expected seconds from 0 up, got 'long'"),
        ("duration:=nan", "duration: expected seconds from 0 up, got 'nan'"),
        ("duration:=-1", "duration: expected seconds"),
        ("seed:=1.5", "seed: expected an integer from 0 up, got '1.5'"),
        ("threads:=0", "threads: expected an integer from 1 up, got '0'"),
        ("record:=maybe", "unknown record 'maybe': expected one of false, true"),
        ("model:=/no/such/place", "model: no folder '/no/such/place'"),
        ("params:=/no/such.yaml", "params: no file '/no/such.yaml'"),
        ("duration", "argument 'duration': expected name:=value"),
    ],
)
def test_bad_arguments_are_one_line(tmp_path: Path, word: str, expected: str) -> None:
    with pytest.raises(UserError) as error:
        specs(tmp_path, word)
    assert expected in str(error.value)
    assert "\n" not in str(error.value)


def test_a_parameter_file_comes_on_top_of_the_robots_own(tmp_path: Path) -> None:
    path = tmp_path / "limits.yaml"
    path.write_text("/hexapod/safety: {ros__parameters: {limits: {left_legs: [0.0, 10.0]}}}\n")
    for node in specs(tmp_path, f"params:={path}").values():
        assert [Path(each).name for each in node.parameter_files] == ["hexapod.yaml", "limits.yaml"]


@pytest.mark.parametrize(
    ("node", "parameters", "said"),
    [
        ("/hexapod/safty", "limits: {left_legs: [0.0, 10.0]}", "names no node of this graph"),
        ("/hexapod/adaptive", "planner: {horizon: 5}", "expected one of /hexapod/controller, "),
        ("/half_cheetah/safety", "check_period: 0.1", "names no node of this graph"),
        # What a launch argument sets as well would be ignored.
        ("/hexapod/driver", "noise: 0.1", "'noise' of /hexapod/driver is set by the launch"),
        ("/**", "lockstep: true", "'lockstep' of /hexapod/safety is set by the launch"),
        ("/hexapod/dynamics", "method: mb", "'method' of /hexapod/dynamics is set by the launch"),
    ],
)
def test_no_parameter_is_ignored(tmp_path: Path, node: str, parameters: str, said: str) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(f"{node}: {{ros__parameters: {{{parameters}}}}}\n")
    with pytest.raises(UserError, match=said):
        specs(tmp_path, f"params:={path}")


def test_noise_is_the_real_robots_unless_told_otherwise(tmp_path: Path) -> None:
    assert specs(tmp_path)["driver"].parameters["noise"] == 1.0
    assert specs(tmp_path, "noise:=0.1")["driver"].parameters["noise"] == 0.1


def test_a_step_on_top_of_a_context_runs_on_the_contexts_model() -> None:
    (node,) = (n for n in bringup.graph("adapt", ["method:=context_de"]) if n.name == "adaptive")
    assert Path(str(node.parameters["model"])).name == "context"


@pytest.mark.parametrize(
    ("words", "method", "planner"),
    [
        ([], "bayes_context_ll", "icem"),
        (["robot:=pr2_arm", "method:=mb"], "mb", "mppi"),
        (["robot:=half_cheetah"], "causes", "icem"),
        (["robot:=half_cheetah", "controller:=cem", "method:=mb"], "mb", "cem"),
    ],
)
def test_method_and_planner_are_the_robots_unless_told_otherwise(
    words: list[str], method: str, planner: str
) -> None:
    (node,) = (n for n in bringup.graph("adapt", words) if n.name == "adaptive")
    assert (node.parameters["method"], node.parameters["controller"]) == (method, planner)
    assert Path(str(node.parameters["model"])).name == method


def test_unknown_graph() -> None:
    with pytest.raises(UserError, match="unknown graph 'dance': expected one of adapt, collect"):
        bringup.graph("dance", [])


def test_imports_neither_ros_nor_torch() -> None:
    code = (
        "import sys, ros_mbmrl.bringup as b, ros_mbmrl.supervisor; b.graph('twin', []);"
        "sys.exit(len({'rclpy', 'torch', 'mujoco'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
