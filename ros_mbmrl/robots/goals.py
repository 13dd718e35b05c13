"""The goal of a robot: the task or the path that was asked for, by name."""

from __future__ import annotations

from ros_mbmrl.errors import UserError, choose
from ros_mbmrl.robots.spec import Robot


def goal_of(robot: Robot, task: str = "", path: str = "") -> str:
    """Return the name of the task or of the path; by default the robot's first.

    Args:
        robot: who is to do it.
        task: its name, for a robot that follows no path; empty: none was asked for.
        path: its name, for a robot that follows paths; empty: none was asked for.

    Raises:
        UserError: a task for a robot that follows paths, or a path for another; no such one.
    """
    asked = {"task": task, "path": path}
    kind, other = ("path", "task") if robot.follows_paths else ("task", "path")
    if asked[other]:
        raise UserError(f"{other}: {robot.spec.name} has none: expected a {kind}")
    if not robot.tasks():
        raise UserError(f"{robot.spec.name} has no task: expected one to do")
    name = asked[kind] or robot.tasks()[0]
    choose(kind, name, robot.tasks())
    return name
