"""Checks that a graph and the run that it collects for fit together."""

from __future__ import annotations

from pathlib import Path

from ros_mbmrl.errors import UserError
from ros_mbmrl.learning.asynchronous.files import read_json
from ros_mbmrl.robots import ROBOTS
from ros_mbmrl.runtime.kept import FILE


def check_live_run(folder: Path, robot: str) -> None:
    """Refuse a folder that holds no run of a robot.

    Args:
        folder: of the run; without a description it is one that is filled by hand.
        robot: name of the robot that is driven.

    Raises:
        UserError: no such folder, or the run of another robot.
    """
    if not folder.is_dir():
        raise UserError(f"learning: no folder '{folder}': expected that of an asynchronous run")
    told = read_json(folder / FILE).get("robot", robot)
    if told in ROBOTS and told != robot:  # an environment has a name of its own
        raise UserError(f"learning: {folder} is a run of {told}: expected one of {robot}")
