"""Meaning of launch arguments: model, goal, speed, plant; checked before anything is started."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path

from ros_mbmrl.arguments.shipped import MODEL
from ros_mbmrl.dynamics.card import POLICY, POLICY_MODEL, acting_policy
from ros_mbmrl.errors import UserError, choose
from ros_mbmrl.launch_arguments import Arguments, number
from ros_mbmrl.methods import adapting
from ros_mbmrl.plants import check_plant, plants_of
from ros_mbmrl.plants.base import PlantOptions
from ros_mbmrl.robots import goals, make_robot
from ros_mbmrl.share import find, what_is_shipped

Value = str | int | float | bool
LEARNED = "learned"  # stands for the method of a run that is followed, in file names
SPEED = "speed"  # argument, and parameter of the controller


def policy_of(arguments: Arguments, task: str) -> dict[str, Value]:
    """Return the controller's policy where `model:=` names its folder; else its own parameters."""
    folder = Path(arguments["model"])
    if arguments["controller"] != "policy" or not (folder / POLICY).is_file():
        return {}
    return {"planner.policy.folder": str(acting_policy(folder, arguments["robot"], task))}


def model_folder(arguments: Arguments, policy: Mapping[str, Value]) -> str:
    """Return the folder of the model: of a policy the one that it learned in, if it did."""
    given = arguments["model"]
    if policy:
        own = Path(given) / POLICY_MODEL
        given = str(own) if own.is_dir() else ""
    if given:
        if not Path(given).is_dir():
            raise UserError(f"model: no folder '{given}': {what_is_shipped(MODEL, Path(given))}")
        return given
    if arguments.get("learning"):
        return ""  # it is learned from nothing
    method = arguments["method"]
    relative = f"models/{arguments['robot']}/{method}"
    found = find(relative) or find(f"models/{arguments['robot']}/{adapting(method).trained_as}")
    if found is None:
        raise UserError(f"no model for method '{method}': expected {relative}")
    return str(found)


def speed_of(arguments: Arguments, path: str) -> dict[str, Value]:
    """Return the speed along the path, if it is given."""
    if not arguments[SPEED]:
        return {}
    if not path:
        raise UserError("speed: is along a path, and the robot follows none")
    if not (speed := number(arguments, SPEED, "metres a second")) > 0:
        raise UserError("speed: expected above 0 m/s")
    return {SPEED: speed}


def learning_of(arguments: Arguments) -> dict[str, Value]:
    """Return the controller's parameters of the run that it follows, if it follows one."""
    folder = arguments["learning"]
    if not folder:
        return {}
    if not Path(folder).is_dir():
        raise UserError(f"learning: no folder '{folder}': expected that of an asynchronous run")
    return {"learning": str(Path(folder).absolute()), "switch": arguments["switch"]}


def broken_at(arguments: Arguments) -> str:
    """Return what breaks and when, NAME@SECONDS: a twin's fault, or a real robot's change."""
    changed = arguments.get("changed", "")
    if changed and not re.fullmatch(r"\w+@\d+(\.\d*)?", changed):
        raise UserError(f"changed: expected NAME@SECONDS, for example payload@20, got '{changed}'")
    return arguments["fault"] or changed


def goal_of(arguments: Arguments) -> tuple[str, str]:
    """Return (path, task), of which one is empty."""
    robot = make_robot(arguments["robot"])
    name = goals.goal_of(robot, arguments["task"], arguments["path"])
    return (name, "") if robot.follows_paths else ("", name)


def check_plant_arguments(arguments: Arguments) -> None:
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


def default_recording(arguments: Arguments) -> str:
    """Return the path of a run's recording where none is given."""
    if arguments.get("report"):
        return str(Path(arguments["report"]) / f"{arguments['method'] or LEARNED}.mcap")
    now = datetime.now(timezone.utc).strftime("%Y%m%d-%H%M%S")
    return str(Path("runs") / "recordings" / f"{arguments['robot']}-{now}.mcap")
