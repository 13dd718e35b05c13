"""Parameters of the node `safety`, and the robot and the monitor that they describe."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ros_mbmrl.errors import UserError
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.spec import Robot
from ros_mbmrl.safety.limits import narrowed
from ros_mbmrl.safety.monitor import SafetyMonitor
from ros_mbmrl.safety.types import SafetyConfig


@dataclass(frozen=True)
class SafetyParameters:
    """Parameters of the node `safety`.

    adaptation: a dynamics node tells its model error. check_period: [s] of the timer.
    monitor: fields of `SafetyConfig`. limits: [low, high] by the name of a command, a state,
    `arena_x` or `arena_y`, within the robot's own. They may become narrower while the robot moves,
    see `LiveLimits`.
    await_nodes: names, joined by commas, of nodes that must hear the first answer.
    """

    robot: str = "hexapod"
    lockstep: bool = False
    adaptation: bool = True
    check_period: float = 0.02
    monitor: dict[str, Any] = field(default_factory=dict)
    limits: dict[str, Any] = field(default_factory=dict)
    await_nodes: str = ""


def watched_robot(parameters: SafetyParameters) -> tuple[Robot, SafetyMonitor]:
    """Return the robot within the limits of the parameters, and its monitor.

    Raises:
        UserError: For a wrong limit, a wrong field of `SafetyConfig`, or a timer that is too slow.
    """
    p = parameters
    robot = make_robot(p.robot)
    try:
        robot = narrowed(robot, p.limits)
    except ValueError as error:
        raise UserError(f"safety: limits: {error}") from None
    try:
        monitor = SafetyMonitor(robot, SafetyConfig(**{**robot.safety, **p.monitor}))
    except (TypeError, ValueError) as error:
        raise UserError(f"safety: monitor: {error}") from None
    envelope = robot.spec.envelope
    longest = 0.5 * min(envelope.state_timeout, envelope.command_timeout)
    if not 0 < p.check_period <= longest:
        raise UserError(
            f"safety: check_period: expected above 0 s, up to {longest:g} s (half of the "
            f"shortest time-out), got {p.check_period}"
        )
    return robot, monitor
