"""A described robot's file as a message, which a recording carries: it can be read without it."""

from __future__ import annotations

from types import SimpleNamespace

from ros_mbmrl.collection.messages import Messages
from ros_mbmrl.robots.described.known import described
from ros_mbmrl.topics import ROBOT_FILE


def robot_file(robot: str) -> bytes | None:
    """Return the message with the file of a robot, as the middleware would write it.

    Args:
        robot: its name.

    Returns:
        None: the robot is made by Python code.
    """
    found = described().get(robot)
    if found is None:
        return None
    message = SimpleNamespace(data=found.text)
    return Messages((ROBOT_FILE.name,)).encode(ROBOT_FILE.type, message)
