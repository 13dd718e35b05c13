"""Mapping from an operator's forward and turn to a robot's command."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, runtime_checkable

import numpy as np

from ros_mbmrl.collection.keyboard import Sticks
from ros_mbmrl.collection.session import Source
from ros_mbmrl.errors import UserError
from ros_mbmrl.robots.spec import Array, Robot

Steer = Callable[[float, float], Array]


@runtime_checkable
class Steered(Protocol):
    """A robot with its own mapping for driving by hand."""

    def steer(self, forward: float, turn: float) -> Array:
        """Return a command (da,); forward and turn are -1 to 1, turn is positive to the left."""


def driven(sticks: Callable[[], Sticks | None], steer: Steer) -> Source:
    """Return a source of commands from the operator's sticks; None while they are released."""

    def source() -> Array | None:
        said = sticks()
        return None if said is None else steer(*said)

    return source


def steerable(robot: Robot) -> bool:
    """Return whether the robot can be driven by hand."""
    sides = tuple(limit.name.split("_")[0] for limit in robot.spec.action)
    return isinstance(robot, Steered) or sides == ("left", "right")


def steering(robot: Robot, scale: float) -> Steer:
    """Return a mapping from (forward, turn) to commands, of which `scale` is the part that is used.

    The mapping is the robot's own `steer`, or that of a robot with a left and a right side: their
    mean drives it, their difference turns it. Raises UserError for any other robot and for a scale
    that is not above 0, up to 1.
    """
    if not 0 < scale <= 1:
        raise UserError(f"scale: expected above 0, up to 1, got {scale:g}")
    spec = robot.spec
    low, high = spec.action_low, spec.action_high
    if not steerable(robot):
        raise UserError(
            f"{spec.name} cannot be driven by hand: expected a left and a right side, or a method "
            "`steer(forward, turn)`; source random needs neither"
        )
    if isinstance(robot, Steered):
        steer = robot.steer
        return lambda forward, turn: np.clip(steer(scale * forward, scale * turn), low, high)

    def two_sided(forward: float, turn: float) -> Array:
        wanted = scale * np.array([forward - turn, forward + turn]) * high
        return np.clip(wanted, low, high)

    return two_sided
