"""The graph as data: nodes, parameters, topics. `mbmrl launch` and the launch files read it.

Imports no ROS: a machine without any can still say what it would start.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from types import MappingProxyType

from ros_mbmrl.adaptation import METHODS, trained_as
from ros_mbmrl.collection.mapping import steering
from ros_mbmrl.errors import UserError, choose
from ros_mbmrl.planning import PLANNERS
from ros_mbmrl.plants import PLANTS, check_plant, plants_of
from ros_mbmrl.plants.base import PlantOptions
from ros_mbmrl.robots import ROBOTS, make_robot

Value = str | int | float | bool

FIRST_COMMAND = "first command"  # the line that the driver prints when the first command came


@dataclass(frozen=True)
class Topic:
    """A topic of the graph. qos: a name in `nodes/qos.py`. A name with `/` in front is global."""

    name: str
    type: str
    qos: str


# One sample of every state topic is published at each control step, all with the same stamp.
TOPICS: tuple[Topic, ...] = (
    Topic("joint_states", "sensor_msgs/msg/JointState", "state"),
    Topic("odom", "nav_msgs/msg/Odometry", "state"),
    Topic("imu", "sensor_msgs/msg/Imu", "state"),
    Topic("back_emf", "sensor_msgs/msg/JointState", "state"),
    Topic("battery", "sensor_msgs/msg/BatteryState", "state"),
    Topic("tool_points", "geometry_msgs/msg/PoseArray", "state"),
    Topic("sensor_time", "sensor_msgs/msg/TimeReference", "state"),
    Topic("command/proposed", "sensor_msgs/msg/JointState", "command"),
    Topic("command/safe", "sensor_msgs/msg/JointState", "command"),
    Topic("adaptation", "diagnostic_msgs/msg/DiagnosticArray", "state"),
    Topic("plan", "nav_msgs/msg/Path", "state"),
    Topic("reference", "nav_msgs/msg/Path", "latched"),
    Topic("reference/set", "nav_msgs/msg/Path", "state"),
    Topic("safety/state", "std_msgs/msg/Bool", "latched"),
    Topic("episode", "diagnostic_msgs/msg/DiagnosticArray", "latched"),
    Topic("joy", "sensor_msgs/msg/Joy", "sensor"),
    Topic("/diagnostics", "diagnostic_msgs/msg/DiagnosticArray", "diagnostics"),
    Topic("/clock", "rosgraph_msgs/msg/Clock", "sensor"),
)


def topic(name: str) -> Topic:
    """The topic called `name`. Raises KeyError: which topics there are is not up to users."""
    return {known.name: known for known in TOPICS}[name]


@dataclass(frozen=True)
class NodeSpec:
    """One process: `python -m ros_mbmrl.nodes.<executable>` (`ros2 run ros_mbmrl <executable>`).

    critical: its end ends the graph. ends_last: it is ended after the others (the recorder).
    """

    name: str
    executable: str
    namespace: str
    parameters: Mapping[str, Value] = field(default_factory=lambda: MappingProxyType({}))
    remappings: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    parameter_file: str = ""
    critical: bool = True
    needs_torch: bool = False
    ends_last: bool = False


@dataclass(frozen=True)
class Argument:
    """A launch argument, `name:=default`. Empty choices: anything goes."""

    name: str
    default: str
    help: str
    choices: tuple[str, ...] = ()


Arguments = Mapping[str, str]

_BOOL = ("true", "false")
_PLANTS = tuple(sorted({name.split(".")[1] for name in PLANTS}))
_COMMON = (
    Argument("robot", "hexapod", "which robot", tuple(sorted(ROBOTS))),
    Argument("plant", "twin", "what is driven: the twin, or the robot itself", _PLANTS),
    Argument("port", "", "of the robot: a serial device, or the URL of its rosbridge"),
    Argument("mocap", "/mocap/{robot}/pose", "topic of the robot's pose, where it needs one"),
    Argument("terrain", "carpet", "the twin's ground"),
    Argument("noise", "1", "the twin's, as a share of the real robot's"),
    Argument("fault", "", "what breaks in the twin, NAME@SECONDS"),
    Argument("viewer", "false", "show the twin in a window", _BOOL),
    Argument("record", "true", "write one MCAP file a run", _BOOL),
    Argument("recording", "", "the MCAP file; default: runs/recordings/<robot>-<time>.mcap"),
    Argument("duration", "0", "seconds of control after which the run ends; 0: until Ctrl-C"),
    Argument("lockstep", "false", "step without pacing, every node in turn", _BOOL),
    Argument("seed", "0", "seed of everything random"),
    Argument("startup_timeout", "60", "seconds within which the first command must come"),
    Argument("params", "", "parameter file; default: config/<robot>.yaml"),
)
_ADAPT = (
    Argument("method", "bayes_context_de", "how the model is adapted"),
    Argument("model", "", "model folder; default: models/<robot>/<method>"),
    Argument("controller", "mppi", "planner"),
    Argument("path", "", "what is followed; default: straight, for a robot that follows paths"),
    Argument("task", "", "what is done; default: the robot's first, where it follows no path"),
    Argument("report", "", "folder of the run's report; its recording is <method>.mcap in there"),
    Argument("threads", "1", "threads of the adapting and planning process"),
)
_COLLECT = (
    Argument("source", "joystick", "who drives at the start", ("joystick", "keyboard", "random")),
    Argument("tags", "", "names of terrains, joined by commas; default: the twin's ground"),
    Argument("episode_seconds", "30", "length of an episode; 0: until it is stopped"),
    Argument("tty", "", "terminal that keys come from; default: this one"),
)
ARGUMENTS: Mapping[str, tuple[Argument, ...]] = MappingProxyType(
    {"adapt": _COMMON + _ADAPT, "collect": _COMMON + _COLLECT, "twin": _COMMON}
)


def parse(graph: str, words: Sequence[str]) -> dict[str, str]:
    """Values of all of the graph's arguments from `name:=value` words.

    Raises UserError for an unknown graph or name, a word of another form, a value not allowed.
    """
    choose("graph", graph, ARGUMENTS)
    known = {argument.name: argument for argument in ARGUMENTS[graph]}
    values = {name: argument.default for name, argument in known.items()}
    for word in words:
        name, sign, value = word.partition(":=")
        if not sign:
            raise UserError(f"argument '{word}': expected name:=value")
        choose("argument", name, known)
        values[name] = value
    for name, value in values.items():
        if known[name].choices and value not in known[name].choices:
            choose(name, value, known[name].choices)
    # Braces rather than a default of the robot's: `ros2 launch --show-args` knows no robot yet.
    return {name: value.replace("{robot}", values["robot"]) for name, value in values.items()}


def adapt(arguments: Arguments) -> list[NodeSpec]:
    """The whole loop: driver, dynamics and controller in one process, safety, reference."""
    path, task = _goal(arguments)
    arguments = {**arguments, "path": path}
    choose("controller", arguments["controller"], PLANNERS)
    choose("method", arguments["method"], METHODS)
    check(arguments)
    adaptive: dict[str, Value] = {
        "model": _model(arguments),
        "method": arguments["method"],
        "controller": arguments["controller"],
        "seed": _integer(arguments, "seed"),
        "threads": _integer(arguments, "threads", least=1),
        "lockstep": arguments["lockstep"] == "true",
        "task": task,
    }
    middle = [_node(arguments, "adaptive", adaptive, needs_torch=True)]
    if path:
        middle.append(_node(arguments, "reference", {"path": path}))
    return _around(arguments, middle, adaptation=True)


def collect(arguments: Arguments) -> list[NodeSpec]:
    """The robot driven by hand or at random under the safety monitor, recorded."""
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
        "episode_seconds": _seconds(arguments, "episode_seconds"),
        "tty": tty,
        "seed": _integer(arguments, "seed"),
    }
    return _around(arguments, [_node(arguments, "teleop", teleop, critical=False)])


def twin(arguments: Arguments) -> list[NodeSpec]:
    """The twin and its safety monitor, waiting for somebody's `command/proposed`."""
    return _around(arguments, [])


GRAPHS: Mapping[str, Callable[[Arguments], list[NodeSpec]]] = MappingProxyType(
    {"adapt": adapt, "collect": collect, "twin": twin}
)


def graph(name: str, words: Sequence[str]) -> list[NodeSpec]:
    """The nodes of the graph called `name`, given `name:=value` words. Raises UserError."""
    arguments = parse(name, words)
    return GRAPHS[name](arguments)


def scenario(arguments: Arguments) -> list[str]:
    """What a report says of a run beside its figures, as `name:=value`; none if none is wanted."""
    if not arguments.get("report"):
        return []
    what = ("robot", "plant", "terrain", "noise", "fault")
    path, task = _goal(arguments)
    named = {**arguments, "path": path, "task": task}
    goal = ("path",) if path else ("task",)
    return [f"{name}:={named[name]}" for name in (*what, *goal, "duration", "seed", "controller")]


def environment(base: Mapping[str, str]) -> dict[str, str]:
    """The nodes' environment: discovery stays on this machine unless asked otherwise.

    One thread a process for what NumPy does: a second one only costs memory and punctuality.
    """
    ours = {
        "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST",
        "PYTHONUNBUFFERED": "1",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
    return {**ours, **base}


def find(relative: str) -> Path | None:
    """A file or folder of the checkout or, once installed, of the package's share."""
    # An ament install keeps the package in <prefix>/lib/pythonX/site-packages.
    above = Path(__file__).resolve().parents
    prefixes = (Path(sys.prefix), *above[4:5])
    roots = (above[1], *(prefix / "share" / "ros_mbmrl" for prefix in prefixes))
    return next((root / relative for root in roots if (root / relative).exists()), None)


def _around(
    arguments: Arguments, middle: list[NodeSpec], adaptation: bool = False
) -> list[NodeSpec]:
    """Driver, safety and recorder around what proposes commands."""
    check(arguments)
    if arguments.get("report") and (arguments["record"] != "true" or arguments["recording"]):
        raise UserError(
            "report: is made from the recording in its folder: expected record:=true "
            "and no recording:="
        )
    lockstep = arguments["lockstep"] == "true"
    safety: dict[str, Value] = {"lockstep": lockstep, "adaptation": adaptation}
    nodes = [_node(arguments, "safety", safety), *middle]
    if arguments["record"] == "true":
        path = arguments["recording"] or _default_recording(arguments)
        # A run without its record is a run in vain: the recorder is critical.
        recorder: dict[str, Value] = {"path": path, "report": " ".join(scenario(arguments))}
        nodes.append(_node(arguments, "recorder", recorder, ends_last=True))
    awaited = [name for node in nodes for name in _NODES_OF.get(node.name, (node.name,))]
    driver: dict[str, Value] = {
        "plant": arguments["plant"],
        "port": arguments["port"],
        "mocap": "" if arguments["plant"] == "twin" else arguments["mocap"],
        "terrain": arguments["terrain"],
        "noise": _number(arguments, "noise"),
        "fault": arguments["fault"],
        "path": arguments.get("path", ""),
        "seed": _integer(arguments, "seed"),
        "duration": _seconds(arguments, "duration"),
        "lockstep": lockstep,
        "viewer": arguments["viewer"] == "true",
        "startup_timeout": _seconds(arguments, "startup_timeout"),
        "await_nodes": ",".join(name for name in awaited if name not in _NO_STATE),
    }
    return [*nodes, _node(arguments, "driver", driver)]


# Nodes of a process that holds several, as they subscribe to the state topics.
_NODES_OF: Mapping[str, tuple[str, ...]] = MappingProxyType({"adaptive": ("dynamics",)})
_NO_STATE = ("teleop",)


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
        parameter_file=_parameter_file(arguments),
        critical=critical,
        needs_torch=needs_torch,
        ends_last=ends_last,
    )


def _parameter_file(arguments: Arguments) -> str:
    if arguments["params"]:
        if not Path(arguments["params"]).is_file():
            raise UserError(f"params: no file '{arguments['params']}'")
        return arguments["params"]
    default = find(f"config/{arguments['robot']}.yaml")
    return str(default) if default else ""


def _model(arguments: Arguments) -> str:
    if arguments["model"]:
        folder = Path(arguments["model"])
        if not folder.is_dir():
            raise UserError(f"model: no folder '{folder}'")
        return str(folder)
    method = arguments["method"]
    relative = f"models/{arguments['robot']}/{method}"
    found = find(relative) or find(f"models/{arguments['robot']}/{trained_as(method)}")
    if found is None:
        raise UserError(f"no model for method '{method}': expected {relative}")
    return str(found)


def _goal(arguments: Arguments) -> tuple[str, str]:
    """(path, task): one of them is empty."""
    robot = make_robot(arguments["robot"])
    kind = "path" if robot.follows_paths else "task"
    other = "task" if robot.follows_paths else "path"
    if arguments[other]:
        raise UserError(f"{other}: {robot.spec.name} has none: expected {kind}:=")
    name = arguments[kind] or robot.tasks()[0]
    choose(kind, name, robot.tasks())
    return (name, "") if robot.follows_paths else ("", name)


def check(arguments: Arguments) -> None:
    """What the driver would refuse, said before anything is started. Raises UserError."""
    choose("plant", arguments["plant"], plants_of(arguments["robot"]))
    if arguments["plant"] != "twin" and arguments["lockstep"] == "true":
        raise UserError("lockstep: a real robot does not wait: expected plant:=twin")
    options = PlantOptions(
        terrain=arguments["terrain"],
        noise=_number(arguments, "noise"),
        fault=arguments["fault"],
        port=arguments["port"],
    )
    check_plant(arguments["robot"], arguments["plant"], options)


def _default_recording(arguments: Arguments) -> str:
    if arguments.get("report"):
        return str(Path(arguments["report"]) / f"{arguments['method']}.mcap")
    now = datetime.now(timezone.utc).strftime("%Y%m%d-%H%M%S")
    return str(Path("runs") / "recordings" / f"{arguments['robot']}-{now}.mcap")


def _integer(arguments: Arguments, name: str, least: int = 0) -> int:
    try:
        value = int(arguments[name])
    except ValueError:
        value = least - 1
    if value < least:
        raise UserError(f"{name}: expected an integer from {least} up, got '{arguments[name]}'")
    return value


def _seconds(arguments: Arguments, name: str) -> float:
    return _number(arguments, name, "seconds")


def _number(arguments: Arguments, name: str, what: str = "a number") -> float:
    try:
        value = float(arguments[name])
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise UserError(f"{name}: expected {what} from 0 up, got '{arguments[name]}'")
    return value
