"""`--help` of a node, and the refusal of words that no node reads."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ros_mbmrl.errors import UserError
from ros_mbmrl.plugins import imported

PACKAGE = "ros_mbmrl.nodes"
STATE = "joint_states, odom, imu and its like: the robot's state"


@dataclass(frozen=True)
class About:
    """Topics and services of a node, by name.

    parameters: the dataclasses that it reads, as module:name; imported for the help alone.
    """

    parameters: tuple[str, ...]
    takes: tuple[str, ...]
    gives: tuple[str, ...]
    services: tuple[str, ...] = ()


NODES: Mapping[str, About] = MappingProxyType(
    {
        "driver": About(
            ("driver_parameters:DriverParameters",),
            ("command/safe", "safety/state"),
            (STATE, "command/heard", "/clock", "/diagnostics"),
            ("driver/rearm",),
        ),
        "safety": About(
            ("safety_parameters:SafetyParameters",),
            (STATE, "command/proposed", "command/heard", "adaptation", "/diagnostics"),
            ("command/safe", "command/proposed/heard", "safety/state", "/diagnostics"),
            ("safety/stop", "safety/reset"),
        ),
        "adaptive": About(
            ("controller:ControllerParameters", "dynamics:DynamicsParameters"),
            (
                *(STATE, "command/safe", "command/proposed/heard"),
                *("reference", "safety/state", "/diagnostics"),
            ),
            ("command/proposed", "plan", "plan/candidates", "adaptation", "/diagnostics"),
        ),
        "composed": About(
            (
                *("composed:ComposedParameters", "safety_parameters:SafetyParameters"),
                *("controller:ControllerParameters", "dynamics:DynamicsParameters"),
                "driver_parameters:DriverParameters",
            ),
            ("reference",),
            (
                *(STATE, "command/proposed", "command/proposed/heard", "command/safe"),
                *("command/heard", "adaptation", "plan", "plan/candidates", "safety/state"),
                *("/clock", "/diagnostics"),
            ),
            ("safety/stop", "safety/reset", "driver/rearm"),
        ),
        "reference": About(
            ("reference:ReferenceParameters",), (STATE, "reference/set"), ("reference",)
        ),
        "collector": About(
            ("collector:CollectorParameters",),
            (STATE, "command/safe", "reference", "safety/state", "/diagnostics"),
            ("episode", "reference/set", "/diagnostics"),
        ),
        "teleop": About(
            ("teleop_parameters:TeleopParameters",),
            (STATE, "joy", "safety/state", "/diagnostics"),
            ("command/proposed", "episode"),
        ),
        "view": About(("view:ViewParameters",), ("every topic of the graph",), ()),
        "recorder": About(("recorder:RecorderParameters",), ("every topic of the graph",), ()),
        "robot_state": About(
            ("robot_state:RobotStateParameters",),
            (STATE,),
            ("robot_description", "/tf", "/tf_static"),
        ),
    }
)


def answer(words: Sequence[str]) -> int | None:
    """Return the exit status if the words of a command line ask for help, None if for a node.

    words: the program's name first. Raises UserError for a word that is none of ROS's.
    """
    name, others = Path(words[0]).stem, _others(words[1:])
    if not others:
        return None
    if {"-h", "--help"} & set(others):
        print(describe(name))
        return 0
    raise UserError(
        f"{name}: unexpected '{others[0]}': expected --help, or --ros-args before words of ROS "
        "such as -p NAME:=VALUE"
    )


def describe(name: str) -> str:
    """Return the help for the node called `name`. Raises UserError if it cannot be imported."""
    usage = (
        f"usage: ros2 run ros_mbmrl {name} --ros-args [-r __ns:=/ROBOT] [-p NAME:=VALUE ...] "
        "[--params-file FILE]"
    )
    about = NODES.get(name)
    if about is None:
        return usage
    parts = [inspect.cleandoc(imported(f"{PACKAGE}.{name}").__doc__ or ""), usage]
    for where in about.parameters:
        parts.append(_parameters(imported(f"{PACKAGE}.{where}")))
    ends = {"takes": about.takes, "gives": about.gives, "services": about.services}
    parts += ["\n  ".join([f"{what}:", *topics]) for what, topics in ends.items() if topics]
    return "\n\n".join(parts)


def _others(words: Sequence[str]) -> list[str]:
    """Return what stands outside of `--ros-args ... --`; ROS itself takes some of it silently."""
    others, of_ros = [], False
    for word in words:
        if word == "--ros-args":
            of_ros = True
        elif of_ros and word == "--":
            of_ros = False
        elif not of_ros:
            others.append(word)
    return others


def _parameters(cls: type) -> str:
    rows = [f"  {_row(field)}" for field in fields(cls)]
    told = inspect.cleandoc(cls.__doc__ or "")
    return "\n".join(["parameters:", *rows, "", told])


def _row(field: Field[Any]) -> str:
    if field.default_factory is not MISSING:
        return f"{field.name}.*: none"  # a group, such as `planner.horizon`
    default = "must be given" if field.default is MISSING else repr(field.default)
    return f"{field.name}: {field.type}, {default}"
