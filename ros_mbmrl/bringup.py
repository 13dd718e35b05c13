"""The graph as data: nodes, parameters, topics. `mbmrl launch` and the launch files read it.

Imports no ROS: a machine without ROS can still show what it would start.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path
from types import MappingProxyType

from ros_mbmrl.adaptation import check_method
from ros_mbmrl.collection.mapping import steering
from ros_mbmrl.dynamics.card import POLICY, POLICY_MODEL, acting_policy
from ros_mbmrl.errors import UserError, choose
from ros_mbmrl.launch_arguments import Arguments, integer, number, parse, seconds
from ros_mbmrl.methods import adapting
from ros_mbmrl.parameter_files import check_nodes, check_overlap, files_of
from ros_mbmrl.planning import PLANNERS, check_planner
from ros_mbmrl.plants import check_plant, plants_of
from ros_mbmrl.plants.base import PlantOptions
from ros_mbmrl.robots import make_robot
from ros_mbmrl.share import find

Value = str | int | float | bool

# Environment variables of the nodes, with the process ids of `mbmrl launch` and of `ros2 launch`:
# their end ends the nodes.
PARENT, LAUNCHER = "MBMRL_PARENT", "MBMRL_LAUNCHER"
FIRST_COMMAND = "first command"  # printed by the driver at the first command
AT_REST = "robot at rest, steady time"  # beginning of the driver's last line, before the time


@dataclass(frozen=True)
class NodeSpec:
    """One process: `python -m ros_mbmrl.nodes.<executable>` (`ros2 run ros_mbmrl <executable>`).

    Args:
        name: of the process.
        executable: module in `ros_mbmrl.nodes`.
        namespace: of its nodes.
        parameters: take precedence over the files.
        remappings: of topics, old to new.
        parameter_files: later ones take precedence.
        critical: its end ends the graph.
        needs_torch: whether it imports torch.
        ends_last: it is ended after the others (the recorder).
    """

    name: str
    executable: str
    namespace: str
    parameters: Mapping[str, Value] = field(default_factory=lambda: MappingProxyType({}))
    remappings: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    parameter_files: tuple[str, ...] = ()
    critical: bool = True
    needs_torch: bool = False
    ends_last: bool = False

    @property
    def nodes(self) -> tuple[str, ...]:
        """Return the full names of the nodes in the process."""
        names = _NODES_OF.get(self.name, (self.name,))
        return tuple(f"{self.namespace}/{name}" for name in names)

    @property
    def enclave(self) -> str:
        """Return the process's name in `config/security/policy.xml`, used if security is on."""
        return f"{self.namespace}/{self.name}"


def adapt(arguments: Arguments) -> list[NodeSpec]:
    """Return the whole loop: driver, dynamics and controller in one process, safety, reference."""
    path, task = _goal(arguments)
    arguments = {**arguments, "path": path}
    choose("controller", arguments["controller"], PLANNERS)
    check_planner(arguments["controller"])
    check_method(arguments["method"])
    check(arguments)
    policy = _policy(arguments, task)
    adaptive: dict[str, Value] = {
        "model": _model(arguments, policy),
        "method": arguments["method"],
        "controller": arguments["controller"],
        "seed": integer(arguments, "seed"),
        "threads": integer(arguments, "threads", least=1, most=1024),
        "lockstep": arguments["lockstep"] == "true",
        "task": task,
        **policy,
    }
    middle = [_node(arguments, "adaptive", adaptive, needs_torch=True)]
    if path:
        middle.append(_node(arguments, "reference", {"path": path}))
    return _around(arguments, middle, adaptation=True)


def collect(arguments: Arguments) -> list[NodeSpec]:
    """Return the graph for driving by hand or at random under the safety monitor, recorded."""
    source, tty = arguments["source"], arguments["tty"]
    if not tty and sys.stdin is not None and sys.stdin.isatty():
        tty = os.ttyname(sys.stdin.fileno())
    if source == "keyboard" and not tty:
        raise UserError("source keyboard: expected a terminal as standard input, or tty:=DEVICE")
    robot = make_robot(arguments["robot"])
    if source != "random":
        steering(robot, scale=1.0)
        if arguments["lockstep"] == "true":
            raise UserError("lockstep: a hand does not answer every step: expected source:=random")
    known = arguments["plant"] == "twin" and robot.follows_paths
    teleop: dict[str, Value] = {
        "source": source,
        "tags": arguments["tags"] or (arguments["terrain"] if known else "unknown"),
        "episode_seconds": seconds(arguments, "episode_seconds"),
        "tty": tty,
        "seed": integer(arguments, "seed"),
    }
    return _around(arguments, [_node(arguments, "teleop", teleop, critical=False)])


def twin(arguments: Arguments) -> list[NodeSpec]:
    """Return the twin and its safety monitor, which wait for `command/proposed`."""
    return _around(arguments, [])


GRAPHS: Mapping[str, Callable[[Arguments], list[NodeSpec]]] = MappingProxyType(
    {"adapt": adapt, "collect": collect, "twin": twin}
)


def graph(name: str, words: Sequence[str]) -> list[NodeSpec]:
    """Return the nodes of the graph called `name`, given `name:=value` words. Raises UserError."""
    arguments = parse(name, words)
    specs = GRAPHS[name](arguments)
    for spec in specs:
        check_overlap(spec.parameter_files, spec.nodes, spec.parameters)
    return specs


def scenario(arguments: Arguments) -> list[str]:
    """Return the facts of a run for its report, as `name:=value`; empty without a report."""
    if not arguments.get("report"):
        return []
    what = ("robot", "plant", "terrain", "noise", "fault")
    path, task = _goal(arguments)
    named = {**arguments, "path": path, "task": task}
    goal = ("path",) if path else ("task",)
    return [f"{name}:={named[name]}" for name in (*what, *goal, "duration", "seed", "controller")]


def _around(
    arguments: Arguments, middle: list[NodeSpec], adaptation: bool = False
) -> list[NodeSpec]:
    """Return driver, safety and recorder around the nodes that propose commands."""
    check(arguments)
    if arguments.get("report") and (arguments["record"] != "true" or arguments["recording"]):
        raise UserError(
            "report: is made from the recording in its folder: expected record:=true "
            "and no recording:="
        )
    lockstep = arguments["lockstep"] == "true"
    safety: dict[str, Value] = {"lockstep": lockstep, "adaptation": adaptation}
    nodes = [_node(arguments, "safety", safety), *middle]
    run = ""
    if arguments["record"] == "true":
        path = arguments["recording"] or _default_recording(arguments)
        # A run without its record is useless: the recorder is critical.
        told, run = " ".join(scenario(arguments)), str(Path(path).absolute())
        recorder: dict[str, Value] = {"path": path, "report": told, "run": run}
        nodes.append(_node(arguments, "recorder", recorder, ends_last=True))
    awaited = [name.rpartition("/")[2] for node in nodes for name in node.nodes]
    nodes = [_heard(node, nodes) for node in nodes]
    driver: dict[str, Value] = {
        "plant": arguments["plant"],
        "port": arguments["port"],
        "mocap": "" if arguments["plant"] == "twin" else arguments["mocap"],
        "terrain": arguments["terrain"],
        "noise": number(arguments, "noise"),
        "delay": seconds(arguments, "delay"),
        "fault": arguments["fault"],
        "path": arguments.get("path", ""),
        "seed": integer(arguments, "seed"),
        "duration": seconds(arguments, "duration"),
        "lockstep": lockstep,
        "viewer": arguments["viewer"] == "true",
        "startup_timeout": seconds(arguments, "startup_timeout"),
        "await_nodes": ",".join(name for name in awaited if name not in _NOT_AWAITED),
        "run": run,
    }
    return [*nodes, _node(arguments, "driver", driver)]


def _heard(node: NodeSpec, nodes: Sequence[NodeSpec]) -> NodeSpec:
    """Return the node told who must be there before its first command is published.

    What a recorder that comes late has not heard is missing in the recording for good.
    """
    hearers = {"safety": ["driver"], "adaptive": ["safety"]}.get(node.name)
    if hearers is None:
        return node
    names = [*hearers, *(each.name for each in nodes if each.name == "recorder")]
    told = {**node.parameters, "await_nodes": ",".join(names)}
    return replace(node, parameters=MappingProxyType(told))


# Nodes that a parameter file may name: one file serves every graph of a robot.
NODES = ("controller", "driver", "dynamics", "recorder", "reference", "safety", "teleop")
# Processes with several nodes, and their names.
_NODES_OF: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"adaptive": ("dynamics", "controller")}
)
_NOT_AWAITED = ("teleop", "controller")  # may be absent; does not listen to the state


def _node(
    arguments: Arguments,
    name: str,
    parameters: Mapping[str, Value],
    critical: bool = True,
    needs_torch: bool = False,
    ends_last: bool = False,
) -> NodeSpec:
    robot = arguments["robot"]
    return NodeSpec(
        name=name,
        executable=name,
        namespace=f"/{robot}",
        parameters=MappingProxyType({"robot": robot, **parameters}),
        parameter_files=_parameter_files(arguments),
        critical=critical,
        needs_torch=needs_torch,
        ends_last=ends_last,
    )


def _parameter_files(arguments: Arguments) -> tuple[str, ...]:
    given, robot = arguments["params"], arguments["robot"]
    if given:
        if not Path(given).is_file():
            raise UserError(f"params: no file '{given}'")
        check_nodes(Path(given), [f"/{robot}/{node}" for node in NODES])
    return tuple(map(str, files_of(robot, Path(given) if given else None)))


def _policy(arguments: Arguments, task: str) -> dict[str, Value]:
    """Return the controller's policy where `model:=` names its folder; else its own parameters."""
    folder = Path(arguments["model"])
    if arguments["controller"] != "policy" or not (folder / POLICY).is_file():
        return {}
    return {"planner.policy.folder": str(acting_policy(folder, arguments["robot"], task))}


def _model(arguments: Arguments, policy: Mapping[str, Value]) -> str:
    """Return the folder of the model: of a policy the one that it learned in, if it did."""
    given = arguments["model"]
    if policy:
        own = Path(given) / POLICY_MODEL
        given = str(own) if own.is_dir() else ""
    if given:
        if not Path(given).is_dir():
            raise UserError(f"model: no folder '{given}'")
        return given
    method = arguments["method"]
    relative = f"models/{arguments['robot']}/{method}"
    found = find(relative) or find(f"models/{arguments['robot']}/{adapting(method).trained_as}")
    if found is None:
        raise UserError(f"no model for method '{method}': expected {relative}")
    return str(found)


def _goal(arguments: Arguments) -> tuple[str, str]:
    """Return (path, task), of which one is empty."""
    robot = make_robot(arguments["robot"])
    kind = "path" if robot.follows_paths else "task"
    other = "task" if robot.follows_paths else "path"
    if arguments[other]:
        raise UserError(f"{other}: {robot.spec.name} has none: expected {kind}:=")
    name = arguments[kind] or robot.tasks()[0]
    choose(kind, name, robot.tasks())
    return (name, "") if robot.follows_paths else ("", name)


def check(arguments: Arguments) -> None:
    """Raise UserError, before anything is started, for what the driver would refuse."""
    make_robot(arguments["robot"])
    choose("plant", arguments["plant"], plants_of(arguments["robot"]))
    if arguments["plant"] != "twin" and arguments["lockstep"] == "true":
        raise UserError("lockstep: a real robot does not wait: expected plant:=twin")
    options = PlantOptions(
        terrain=arguments["terrain"],
        noise=number(arguments, "noise"),
        fault=arguments["fault"],
        viewer=arguments["viewer"] == "true",
        port=arguments["port"],
    )
    check_plant(arguments["robot"], arguments["plant"], options)


def _default_recording(arguments: Arguments) -> str:
    if arguments.get("report"):
        return str(Path(arguments["report"]) / f"{arguments['method']}.mcap")
    now = datetime.now(timezone.utc).strftime("%Y%m%d-%H%M%S")
    return str(Path("runs") / "recordings" / f"{arguments['robot']}-{now}.mcap")
