"""The graph as data: nodes, parameters, topics. `mbmrl launch` and the launch files read it.

Imports no ROS: a machine without ROS can still show what it would start.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

from ros_mbmrl.adaptation import check_method
from ros_mbmrl.collection.mapping import steering
from ros_mbmrl.errors import UserError, choose
from ros_mbmrl.launch_arguments import NONE, Arguments, integer, number, parse, seconds
from ros_mbmrl.launch_values import (
    SPEED,
    Value,
    broken_at,
    check_plant_arguments,
    default_recording,
    goal_of,
    learning_of,
    model_folder,
    policy_of,
    speed_of,
)
from ros_mbmrl.parameter_files import check_nodes, check_overlap, files_of
from ros_mbmrl.planning import PLANNERS, check_planner
from ros_mbmrl.planning.words import PREFIX, planner_parameters
from ros_mbmrl.robots import make_robot
from ros_mbmrl.runtime.priority import VARIABLE as PRIORITY
from ros_mbmrl.share import find
from ros_mbmrl.view.address import Address, check_installed, layout

# Environment variables of the nodes, with the process ids of `mbmrl launch` and of `ros2 launch`:
# their end ends the nodes.
PARENT, LAUNCHER = "MBMRL_PARENT", "MBMRL_LAUNCHER"
FIRST_COMMAND = "first command"  # printed by the driver at the first command
CANDIDATES = 24  # roll-outs that a view shows
TELL_EVERY = 5.0  # [s] between the recorder's lines on how an adapt graph's run goes
COMPOSED, AUTO = "composed", "auto"
COMPOSED_FROM = 30.0  # control steps a second
RECORDER = "recorder"  # the node that hears every topic
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
        optional: a run goes on and ends well without it, however it ended (the view).
        environment: variables of its own.
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
    optional: bool = False
    environment: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

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
    path, task = goal_of(arguments)
    arguments = {**arguments, "path": path}
    choose("controller", arguments["controller"], PLANNERS)
    check_planner(arguments["controller"])
    if arguments["method"]:
        check_method(arguments["method"])
    check_plant_arguments(arguments)
    policy, learning = policy_of(arguments, task), learning_of(arguments)
    adaptive: dict[str, Value] = {
        "model": model_folder(arguments, policy),
        "method": arguments["method"],
        "controller": arguments["controller"],
        "seed": integer(arguments, "seed"),
        "threads": integer(arguments, "threads", least=1, most=1024),
        "lockstep": arguments["lockstep"] == "true",
        "task": task,
        **speed_of(arguments, path),
        **policy,
        **learning,
        **({} if arguments["view"] == NONE else {"candidates": CANDIDATES}),
        **planner_parameters(arguments, policy),
    }
    middle = [_node(arguments, "adaptive", adaptive, needs_torch=True)]
    if path:
        middle.append(_node(arguments, "reference", {"path": path}))
    if learning:
        collector: dict[str, Value] = {
            "learning": learning["learning"],
            "episode_seconds": seconds(arguments, "episode_seconds"),
            "trajectories": integer(arguments, "trajectories"),
            "task": task,
            "terrain": arguments["terrain"] if arguments["plant"] == "twin" else "",
            "seed": integer(arguments, "seed"),
        }
        middle.append(_node(arguments, "collector", collector, needs_torch=True))
    nodes = _around(arguments, middle, adaptation=True)
    return composed(nodes, arguments) if is_composed(arguments) else nodes


def is_composed(arguments: Arguments) -> bool:
    """Return whether the control path is one process: as asked, else from `COMPOSED_FROM` on.

    Slower robots have the time that separate processes take, and each of those can end alone.
    """
    asked = arguments["composed"]
    rate = 1 / make_robot(arguments["robot"]).spec.period
    return asked == "true" or (asked == AUTO and rate >= COMPOSED_FROM)


def composed(nodes: Sequence[NodeSpec], arguments: Arguments) -> list[NodeSpec]:
    """Return the nodes with those of the control path in one process; see `nodes/composed.py`.

    The driver of a real robot stays apart. Of those that must hear a first message, only the
    recorder is outside.
    """
    drives = arguments["plant"] == "twin"
    inside = [node for node in nodes if node.name in ("adaptive", "safety", *["driver"] * drives)]
    parameters: dict[str, Value] = {}
    for node in inside:
        parameters |= node.parameters
    recorded = any(node.name == "recorder" for node in nodes)
    parameters |= {"drives": drives, "await_nodes": RECORDER if recorded else ""}
    one = _node(arguments, COMPOSED, parameters, needs_torch=True)
    return [*(node for node in nodes if node not in inside), one]


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
        # Words for the planner, and the speed, are there to override settings in files.
        own = (name for name in spec.parameters if not name.startswith(PREFIX))
        set_here = [name for name in own if name != SPEED]
        check_overlap(spec.parameter_files, spec.nodes, set_here)
    return specs


def scenario(arguments: Arguments) -> list[str]:
    """Return the facts of a run for its report, as `name:=value`; empty without a report."""
    if not arguments.get("report"):
        return []
    what = ("robot", "plant", "terrain", "noise", "fault")
    path, task = goal_of(arguments)
    named = {**arguments, "path": path, "task": task, "fault": broken_at(arguments)}
    goal = ("path",) if path else ("task",)
    own = [name for name in arguments if name.startswith(PREFIX)]
    shown = (*what, *goal, "duration", "seed", "controller", *own)
    return [f"{name}:={named[name]}" for name in shown]


def _around(
    arguments: Arguments, middle: list[NodeSpec], adaptation: bool = False
) -> list[NodeSpec]:
    """Return driver, safety and recorder around the nodes that propose commands."""
    check_plant_arguments(arguments)
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
        path = arguments["recording"] or default_recording(arguments)
        # A run without its record is useless: the recorder is critical.
        told, run = " ".join(scenario(arguments)), str(Path(path).absolute())
        recorder: dict[str, Value] = {"path": path, "report": told, "run": run}
        if adaptation:
            recorder |= {"tell_every": TELL_EVERY, "duration": seconds(arguments, "duration")}
            recorder["fault"] = broken_at(arguments)
        nodes.append(_node(arguments, RECORDER, recorder, ends_last=True))
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
    lookers = *_robot_state(arguments), *_view(arguments)
    return [*nodes, *lookers, _node(arguments, "driver", driver)]


def _robot_state(arguments: Arguments) -> list[NodeSpec]:
    """Return the publisher of model and transforms, which nobody waits for, if there is a model."""
    if find(f"sim/urdf/{arguments['robot']}.urdf") is None:
        return []
    return [replace(_node(arguments, "robot_state", {}, critical=False), optional=True)]


def _view(arguments: Arguments) -> list[NodeSpec]:
    """Return the view, if one is asked for; nobody waits for it."""
    if arguments["view"] == NONE:
        return []
    check_installed()
    address = Address(arguments["view_host"], integer(arguments, "view_port", most=65535))
    layout()
    parameters: dict[str, Value] = {"host": address.host, "port": address.port}
    return [replace(_node(arguments, "view", parameters, critical=False), optional=True)]


def _heard(node: NodeSpec, nodes: Sequence[NodeSpec]) -> NodeSpec:
    """Return the node told who must be there before its first command is published.

    What a recorder that comes late has not heard is missing in the recording for good.
    """
    hearers = {"safety": ["driver"], "adaptive": ["safety"]}.get(node.name)
    if hearers is None:
        return node
    names = [*hearers, *(each.name for each in nodes if each.name == RECORDER)]
    told = {**node.parameters, "await_nodes": ",".join(names)}
    return replace(node, parameters=MappingProxyType(told))


# Nodes that a parameter file may name: one file serves every graph of a robot.
NODES = (
    *(
        "collector",
        "controller",
        "driver",
        "dynamics",
        "recorder",
        "reference",
        "robot_state",
        "safety",
    ),
    *("teleop", "view"),
)
# Processes with several nodes, and their names.
_NODES_OF: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "adaptive": ("dynamics", "controller"),
        COMPOSED: ("dynamics", "controller", "safety", "driver"),
    }
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
        environment=MappingProxyType({PRIORITY: arguments["priority"]}),
    )


def _parameter_files(arguments: Arguments) -> tuple[str, ...]:
    given, robot = arguments["params"], arguments["robot"]
    if given:
        if not Path(given).is_file():
            raise UserError(f"params: no file '{given}'")
        check_nodes(Path(given), [f"/{robot}/{node}" for node in NODES])
    return tuple(map(str, files_of(robot, Path(given) if given else None)))
