"""Arguments of the launch files and of `mbmrl launch`: defaults, help, and allowed values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from ros_mbmrl.arguments.shipped import MODEL
from ros_mbmrl.arguments.spelling import unknown
from ros_mbmrl.errors import UserError, choose
from ros_mbmrl.home import expand_home
from ros_mbmrl.planning.words import PREFIX
from ros_mbmrl.plants import PLANTS, usual_ground
from ros_mbmrl.robots import ROBOTS, make_robot, robot_name
from ros_mbmrl.runtime.priority import WORDS
from ros_mbmrl.share import by_name
from ros_mbmrl.view.address import HOST, PORT


@dataclass(frozen=True)
class Argument:
    """A launch argument, `name:=default`.

    Args:
        name: of the argument.
        default: its value unless it is given.
        help: its description.
        choices: allowed values; empty: any.
        simulated: whether it is only for a twin, or only for a robot; None: for both.
        path: `~` is expanded.
    """

    name: str
    default: str
    help: str
    choices: tuple[str, ...] = ()
    simulated: bool | None = None
    path: bool = False


Arguments = Mapping[str, str]
NONE = "none"  # no view
SWITCH = "episode"  # newer versions act from the next episode on
TOPICS = "topics"  # plant of robots that a file describes
LARGEST = 2**31 - 1  # largest number, which every generator accepts as a seed

_BOOL = ("true", "false")
_PLANTS = tuple(sorted({*(name.partition(".")[2] for name in PLANTS), TOPICS}))
_COMMON = (
    Argument("robot", "hexapod", f"which robot ({'|'.join((*sorted(ROBOTS), 'FILE.yaml'))})"),
    Argument("plant", "twin", "what is driven: the twin, or the robot itself", _PLANTS),
    Argument(
        "port",
        "",
        "of the robot: a serial device, or the URL of its rosbridge",
        simulated=False,
        path=True,
    ),
    Argument(
        "mocap",
        "/mocap/{robot}/pose",
        "topic of the robot's pose, where it needs one",
        simulated=False,
    ),
    Argument(
        "terrain",
        "",
        "the twin's ground; default: carpet, or flat, as its robot has it",
        simulated=True,
    ),
    Argument("noise", "1", "the twin's, as a share of the real robot's", simulated=True),
    Argument("delay", "0", "seconds by which a command acts late: the twin's, or a known robot's"),
    Argument(
        "fault",
        "",
        "what breaks in the twin, NAME@SECONDS, counted from the first command that moves it",
        simulated=True,
    ),
    Argument("viewer", "false", "show the twin in a window", _BOOL, simulated=True),
    Argument("view", NONE, "live view in the browser, on top of the run", (NONE, "foxglove")),
    Argument("view_host", HOST, "address of the view; with another one, others see it, too"),
    Argument("view_port", str(PORT), "port of the view; 0: any that is free"),
    Argument("record", "true", "write one MCAP file a run", _BOOL),
    Argument(
        "recording", "", "the MCAP file; default: runs/recordings/<robot>-<time>.mcap", path=True
    ),
    Argument("duration", "0", "seconds of control after which the run ends; 0: until Ctrl-C"),
    Argument("lockstep", "false", "step without pacing, every node in turn", _BOOL),
    Argument("seed", "0", "seed of everything random"),
    Argument(
        "priority",
        "auto",
        "of driver and safety real time, of planning a larger share of a core: auto takes what is "
        "permitted, high says what is not, normal asks for nothing",
        WORDS,
    ),
    Argument("startup_timeout", "60", "seconds within which the first command must come"),
    Argument("params", "", "parameter file; default: config/<robot>.yaml", path=True),
)
_ADAPT = (
    Argument("method", "", "how the model is adapted; default: the robot's, under a policy mb"),
    Argument(
        "model",
        "",
        "folder of a model, or a shipped one by name, such as hexapod/grbal; under "
        "controller:=policy the folder of a policy; default: <robot>/<method>",
        path=True,
    ),
    Argument("controller", "", "planner; default: the robot's"),
    Argument("path", "", "what is followed; default: straight, for a robot that follows paths"),
    Argument("speed", "", "along the path [m/s]; default: as the robot's parameters say"),
    Argument("task", "", "what is done; default: the robot's first, where it follows no path"),
    Argument(
        "changed",
        "",
        "for the report: what changes in a real robot, NAME@SECONDS after the first command",
        simulated=False,
    ),
    Argument(
        "report",
        "",
        "folder of the run's report; its recording is <method>.mcap in there",
        path=True,
    ),
    Argument("threads", "1", "threads of the adapting and planning process"),
    Argument(
        "composed",
        "auto",
        "one process for the control path (a real robot's driver stays apart); auto: from 30 "
        "control steps a second on",
        ("auto", *_BOOL),
    ),
    Argument(
        "learning",
        "",
        "folder of an asynchronous run: its newest model or policy acts, each episode is pushed",
        path=True,
    ),
    Argument("switch", SWITCH, "when a newer version acts, with learning:=", (SWITCH, "step")),
    Argument("episode_seconds", "20", "length of an episode, with learning:="),
    Argument("trajectories", "0", "with learning:=, number at which the run ends; 0: no end"),
)
_COLLECT = (
    Argument("source", "joystick", "who drives at the start", ("joystick", "keyboard", "random")),
    Argument("tags", "", "names of terrains, joined by commas; default: the twin's ground"),
    Argument("episode_seconds", "30", "length of an episode; 0: until it is stopped"),
    Argument("tty", "", "terminal that keys come from; default: this one", path=True),
)
ARGUMENTS: Mapping[str, tuple[Argument, ...]] = MappingProxyType(
    {"adapt": _COMMON + _ADAPT, "collect": _COMMON + _COLLECT, "twin": _COMMON}
)


def parse(graph: str, words: Sequence[str]) -> dict[str, str]:
    """Return the values of all of the graph's arguments from `name:=value` words.

    `planner.NAME:=VALUE`, where there is a controller, is among them if it is given.

    Raises UserError for an unknown graph or name, a word of another form, a value not allowed.
    """
    choose("graph", graph, ARGUMENTS)
    known = _known(graph)
    values = {name: argument.default for name, argument in known.items()}
    for word in words:
        name, sign, value = word.partition(":=")
        if not sign:
            raise UserError(f"argument '{word}': expected name:=value")
        check_names(graph, [name])
        values[name] = value
    for name, value in values.items():
        if name not in known:
            continue
        if known[name].choices and value not in known[name].choices:
            choose(name, value, known[name].choices)
        if known[name].path:
            values[name] = expand_home(value, name)
            if name == "model" and value:
                values[name] = str(by_name(MODEL, Path(values[name])))
    values["robot"] = robot_name(expand_home(values["robot"], "robot"))
    _check_heeded(known, values)
    values["terrain"] = values["terrain"] or usual_ground(values["robot"])
    if "method" in values:
        robot = make_robot(values["robot"])
        usual = "mb" if values["controller"] == "policy" else robot.method
        # What a run learns is adapted as its card says.
        values["method"] = values["method"] or ("" if values["learning"] else usual)
        values["controller"] = values["controller"] or robot.planner
    # Braces and not a default per robot: `ros2 launch --show-args` does not know the robot yet.
    return {name: value.replace("{robot}", values["robot"]) for name, value in values.items()}


def check_names(graph: str, names: Sequence[str]) -> None:
    """Raise UserError for a name that is not an argument of the graph, with the nearest one."""
    known = _known(graph)
    for name in names:
        if name.startswith(PREFIX) and "controller" in known:
            continue  # a setting of the planner, which `bringup` checks
        if name not in known:
            raise unknown(name, sorted(known))


def as_words(graph: str, words: Sequence[str], own: Sequence[str]) -> list[str]:
    """Return the words of a launch with `--name value ...` as `name:=value`.

    Several values are joined by commas, `--viewer` alone is true and `--no-viewer` false.

    Args:
        graph: its name.
        words: of the command line, after the graph's name.
        own: names of options that are of the command itself; they and their values stay.

    Raises:
        UserError: an option that neither has, or one without a value.
    """
    known, written, left = _known(graph), list[str](), list(words)
    while left:
        word = left.pop(0)
        name, sign, value = word.removeprefix("--").partition("=")
        bare = name.replace("-", "_")
        if not word.startswith("--") or bare.removeprefix("no_") in own:
            written.append(word)
            continue
        values = [value] if sign else []
        while not sign and left and not left[0].startswith("--") and ":=" not in left[0]:
            values.append(left.pop(0))
        off = bare.removeprefix("no_")
        if not values and off in known and known[off].choices == _BOOL:
            written.append(f"{off}:={'true' if off == bare else 'false'}")
            continue
        check_names(graph, [bare])
        if not values:
            raise UserError(f"{word}: expected a value")
        written.append(f"{bare}:={','.join(values)}")
    return written


def _check_heeded(known: Mapping[str, Argument], values: Mapping[str, str]) -> None:
    """Raise UserError for a value that would be ignored."""
    twin = values["plant"] == "twin"
    for name, argument in known.items():
        given = values[name] != argument.default
        if given and argument.simulated is not None and argument.simulated is not twin:
            whose = "a twin" if argument.simulated else "a robot"
            raise UserError(
                f"{name}: is for {whose}, and would be ignored with plant:={values['plant']}"
            )
    for name in ("view_host", "view_port"):
        if values["view"] == NONE and values[name] != known[name].default:
            raise UserError(f"{name}: would be ignored with view:={NONE}")
    for name in ("switch", "episode_seconds", "trajectories"):
        if "learning" in known and not values["learning"] and values[name] != known[name].default:
            raise UserError(f"{name}: would be ignored without learning:=")
    if values.get("learning") and values["lockstep"] == "true":
        raise UserError("learning: versions arrive in real time: expected lockstep:=false")
    if values["recording"] and values["record"] != "true":
        raise UserError("recording: would be ignored with record:=false")


def _known(graph: str) -> dict[str, Argument]:
    return {argument.name: argument for argument in ARGUMENTS[graph]}


def integer(arguments: Arguments, name: str, least: int = 0, most: int = LARGEST) -> int:
    """Return an argument's value as a whole number from `least` to `most`. Raises UserError."""
    try:
        value = int(arguments[name])
    except ValueError:
        value = least - 1
    if value < least:
        raise UserError(f"{name}: expected an integer from {least} up, got '{arguments[name]}'")
    if value > most:
        raise UserError(f"{name}: expected an integer up to {most}, got '{arguments[name]}'")
    return value


def seconds(arguments: Arguments, name: str) -> float:
    """Return an argument's value as a duration [s]. Raises UserError."""
    return number(arguments, name, "seconds")


def number(arguments: Arguments, name: str, what: str = "a number") -> float:
    """Return an argument's value as a number from 0 up. Raises UserError."""
    try:
        value = float(arguments[name])
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise UserError(f"{name}: expected {what} from 0 up, got '{arguments[name]}'")
    if value > LARGEST:
        raise UserError(f"{name}: expected {what} up to {LARGEST}, got '{arguments[name]}'")
    return value
