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
    assert set(nodes) == {*("safety", "adaptive", "reference", "recorder", "robot_state", "driver")}
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
    assert not nodes["robot_state"].critical  # nothing that acts depends on transforms
    assert [Path(path).name for path in nodes["driver"].parameter_files] == ["hexapod.yaml"]


def test_without_recording_there_is_no_recorder(tmp_path: Path) -> None:
    nodes = specs(tmp_path, "record:=false")
    assert "recorder" not in nodes
    assert nodes["safety"].parameters["await_nodes"] == "driver"


def test_a_view_is_beside_the_graph_and_nobody_waits_for_it(tmp_path: Path) -> None:
    without = specs(tmp_path)
    assert "candidates" not in without["adaptive"].parameters
    nodes = specs(tmp_path, "view:=foxglove", "view_port:=0")
    assert set(nodes) == {*without, "view"}
    view = nodes["view"]
    assert dict(view.parameters) == {"robot": "hexapod", "host": "127.0.0.1", "port": 0}
    assert view.optional and not view.critical and not view.needs_torch
    assert nodes["driver"].parameters == without["driver"].parameters
    assert nodes["safety"].parameters == without["safety"].parameters
    assert int(nodes["adaptive"].parameters["candidates"]) >= 20
    assert {name for name, node in nodes.items() if node.optional} == {"view", "robot_state"}


def test_a_graph_that_follows_a_run_begins_from_nothing_and_collects_for_it(tmp_path: Path) -> None:
    words = [f"learning:={tmp_path}", "episode_seconds:=6", "trajectories:=9", "switch:=step"]
    nodes = {node.name: node for node in bringup.graph("adapt", [*words, "path:=figure8"])}
    adaptive, collector = nodes["adaptive"].parameters, nodes["collector"].parameters
    assert (adaptive["model"], adaptive["method"]) == ("", "")
    assert (adaptive["learning"], adaptive["switch"]) == (str(tmp_path), "step")
    assert (collector["learning"], collector["episode_seconds"]) == (str(tmp_path), 6.0)
    assert (collector["trajectories"], collector["terrain"]) == (9, "carpet")
    assert nodes["collector"].critical  # its end, with all trajectories, ends the graph
    assert "collector" in str(nodes["driver"].parameters["await_nodes"]).split(",")


def test_a_graph_that_follows_a_run_may_begin_from_a_model(tmp_path: Path) -> None:
    adaptive = specs(tmp_path, f"learning:={tmp_path}")["adaptive"]
    assert adaptive.parameters["model"] == str(tmp_path)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["learning:=/nowhere"], "learning: no folder '/nowhere'"),
        (["switch:=step"], "switch: would be ignored without learning:="),
        (["trajectories:=3"], "trajectories: would be ignored without learning:="),
        (["learning:=/", "lockstep:=true"], "learning: versions arrive in real time"),
        (["learning:=/", "episode_seconds:=x"], "episode_seconds: expected seconds"),
    ],
)
def test_a_run_that_cannot_be_followed_is_refused(words: list[str], told: str) -> None:
    with pytest.raises(UserError, match=told):
        bringup.graph("adapt", words)


@pytest.mark.parametrize("graph", ["collect", "twin"])
def test_every_graph_can_be_viewed(graph: str) -> None:
    assert "view" in {node.name for node in bringup.graph(graph, ["view:=foxglove"])}


def test_a_view_without_its_package_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ros_mbmrl.view.address.find_spec", lambda name: None)
    with pytest.raises(UserError, match="foxglove-sdk is not installed"):
        specs(tmp_path, "view:=foxglove")
    assert "view" not in specs(tmp_path)  # nobody else needs it


@pytest.mark.parametrize("graph", ["collect", "twin"])
def test_the_other_graphs_do_without_torch(graph: str) -> None:
    nodes = bringup.graph(graph, [])
    assert not any(node.needs_torch for node in nodes)
    assert {"driver", "safety", "recorder"} <= {node.name for node in nodes}
    assert next(n for n in nodes if n.name == "safety").parameters["adaptation"] is False


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("sped:=3", "unknown argument 'sped': expected one of"),
        ("robot:=cat", "unknown robot 'cat': expected one of ant"),
        ("plant:=moon", "unknown plant 'moon'"),
        ("speed:=0", "speed: expected above 0 m/s"),
        ("speed:=fast", "speed: expected metres a second from 0 up, got 'fast'"),
        ("path:=home", "unknown path 'home': expected one of"),
        ("controller:=pid", "unknown controller 'pid'"),
        ("terrain:=lava", "lava"),
        ("fault:=leg_left_middle@-1", "-1"),
        ("changed:=payload@3", "changed: is for a robot, and would be ignored with plant:=twin"),
        ("fault:=flat_tyre@3", "unknown fault 'flat_tyre'"),
        ("duration:=long", "duration: expected seconds from 0 up, got 'long'"),
        ("duration:=nan", "duration: expected seconds from 0 up, got 'nan'"),
        ("duration:=-1", "duration: expected seconds"),
        ("seed:=1.5", "seed: expected an integer from 0 up, got '1.5'"),
        ("threads:=0", "threads: expected an integer from 1 up, got '0'"),
        ("record:=maybe", "unknown record 'maybe': expected one of false, true"),
        ("view:=rviz", "unknown view 'rviz': expected one of foxglove, none"),
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


def test_a_speed_is_the_controllers(tmp_path: Path) -> None:
    nodes = specs(tmp_path, "speed:=0.4")
    assert nodes["adaptive"].parameters["speed"] == 0.4
    assert "speed" not in specs(tmp_path)["adaptive"].parameters
    with pytest.raises(UserError, match="speed: is along a path, and the robot follows none"):
        specs(tmp_path, "robot:=pr2_arm", "speed:=0.4")


def test_a_report_knows_what_changed_in_a_real_robot(tmp_path: Path) -> None:
    words = ("plant:=serial", "port:=/dev/null", "changed:=payload@12", f"report:={tmp_path / 'r'}")
    nodes = specs(tmp_path, *words)
    assert "fault:=payload@12" in str(nodes["recorder"].parameters["report"]).split()
    assert nodes["recorder"].parameters["fault"] == "payload@12"
    assert nodes["driver"].parameters["fault"] == ""
    with pytest.raises(UserError, match="changed: expected NAME@SECONDS, .* got 'payload'"):
        specs(tmp_path, *words[:2], "changed:=payload", words[3])


@pytest.mark.parametrize("port", ["-1", "65536", "http"])
def test_a_port_that_is_none_is_one_line(tmp_path: Path, port: str) -> None:
    with pytest.raises(UserError, match=r"^view_port: expected an integer "):
        specs(tmp_path, "view:=foxglove", f"view_port:={port}")


def test_a_parameter_file_comes_on_top_of_the_robots_own(tmp_path: Path) -> None:
    path = tmp_path / "limits.yaml"
    path.write_text("/hexapod/safety: {ros__parameters: {limits: {left_legs: [0.0, 10.0]}}}\n")
    for node in specs(tmp_path, f"params:={path}").values():
        assert [Path(each).name for each in node.parameter_files] == ["hexapod.yaml", "limits.yaml"]


@pytest.mark.parametrize(
    ("node", "parameters", "said"),
    [
        ("/hexapod/safty", "limits: {left_legs: [0.0, 10.0]}", "names no node of this graph"),
        ("/hexapod/adaptive", "planner: {horizon: 5}", "expected one of /hexapod/collector, "),
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


def test_words_for_the_planner_win_over_the_parameter_files(tmp_path: Path) -> None:
    words = ("planner.horizon:=5", "planner.num_samples:=32", f"report:={tmp_path / 'r'}")
    nodes = specs(tmp_path, *words)
    assert nodes["adaptive"].parameters["planner.icem.horizon"] == 5
    assert nodes["adaptive"].parameters["planner.icem.num_samples"] == 32
    assert "planner.horizon:=5" in str(nodes["recorder"].parameters["report"])
    with pytest.raises(UserError, match="unknown planner parameter 'horizn'"):
        specs(tmp_path, "planner.horizn:=5")


def test_a_model_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(UserError, match="no folder 'ant/grbl': .*did you mean 'ant/grbal'?"):
        bringup.graph("adapt", ["model:=ant/grbl"])


def test_the_control_path_of_a_fast_robot_is_one_process_unless_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = specs(tmp_path, "composed:=true")
    assert set(together) == {"composed", "reference", "recorder", "robot_state"}
    one = together["composed"]
    assert one.needs_torch and one.critical
    assert one.parameters["drives"] is True
    assert one.parameters["await_nodes"] == "recorder"  # the others are not outside
    apart = specs(tmp_path, "composed:=false")
    own = {"await_nodes", "drives"}
    for name in ("driver", "safety", "adaptive"):
        kept = {k: v for k, v in apart[name].parameters.items() if k not in own}
        assert kept.items() <= one.parameters.items()
    assert set(specs(tmp_path)) == set(apart)  # 10 control steps a second
    monkeypatch.setattr(bringup, "COMPOSED_FROM", 10.0)
    assert set(specs(tmp_path)) == set(together)
    assert (
        specs(tmp_path, "composed:=true", "record:=false")["composed"].parameters["await_nodes"]
        == ""
    )
