"""Settings of a planner as words of a launch, `planner.horizon:=5`, checked before it starts."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ros_mbmrl.errors import RunError, UserError
from ros_mbmrl.parameter_files import planner_settings
from ros_mbmrl.planning import PLANNERS, make_planner
from ros_mbmrl.robots import make_robot
from ros_mbmrl.untrusted import parse_yaml

PREFIX = "planner."
Scalar = bool | int | float | str


def planner_parameters(
    arguments: Mapping[str, str], others: Mapping[str, Scalar]
) -> dict[str, Scalar]:
    """Return the controller's parameters that words set, checked with all other settings.

    Args:
        arguments: of the launch, with `robot`, `controller` and `params`.
        others: parameters of the controller that the launch itself sets.

    Raises:
        UserError: what `own_parameters` or `check_settings` refuse.
    """
    robot, planner, given = (arguments[name] for name in ("robot", "controller", "params"))
    own = own_parameters(arguments, planner)
    if own:
        settings = planner_settings(robot, Path(given) if given else None)
        settings |= {name.removeprefix(PREFIX): v for name, v in {**others, **own}.items()}
        check_settings(robot, planner, settings)
    return own


def own_parameters(words: Mapping[str, str], planner: str) -> dict[str, Scalar]:
    """Return the controller's parameters that words set, for the one planner that runs.

    They name the planner, so that they win over its own settings in the robot's parameter file.

    Args:
        words: name -> value; those whose name begins with PREFIX are read.
        planner: name of the planner that runs.

    Raises:
        UserError: a name or a value that is no setting, or one for another planner.
    """
    found: dict[str, Scalar] = {}
    for word, text in words.items():
        if not word.startswith(PREFIX):
            continue
        names = word.split(".")[1:]
        whose = names.pop(0) if names[0] in PLANNERS else planner
        if not names or not all(each.isidentifier() for each in names):
            raise UserError(f"{word}: expected the name of a setting, such as planner.horizon:=5")
        if whose != planner:
            raise UserError(f"{word}: would be ignored with controller:={planner}")
        try:
            value = parse_yaml(text)
        except UserError:
            value = None
        if not isinstance(value, Scalar):
            raise UserError(f"{word}: expected a number, a text, true or false, got '{text}'")
        found[f"{PREFIX}{whose}.{'.'.join(names)}"] = value
    return found


def check_settings(robot: str, planner: str, settings: Mapping[str, Any]) -> None:
    """Refuse settings that the planner would refuse.

    It is made in a process of its own: planners import torch, which a launch does without.

    Args:
        robot: its name.
        planner: name of the planner.
        settings: for `make_planner`, as plain data.

    Raises:
        UserError: an unknown setting, or a value out of its range.
        RunError: the process failed.
    """
    words = [sys.executable, "-m", __name__, robot, planner, json.dumps(settings)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        kind = UserError if done.returncode == 2 else RunError
        raise kind(done.stderr.strip().rpartition("\n")[2])


def _try(robot: str, planner: str, settings: str) -> None:
    """Make the planner, and end with status 2 and a line that says why if it cannot be made."""
    try:
        make_planner(planner, make_robot(robot).spec, **json.loads(settings))
    except UserError as error:
        print(error, file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    _try(*sys.argv[1:])
