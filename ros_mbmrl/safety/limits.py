"""Limits that a user sets: they narrow what the robot's own allow, and never widen it."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from ros_mbmrl.robots.quantities import Limit
from ros_mbmrl.robots.spec import Envelope, Robot


def narrowed(robot: Robot, limits: Mapping[str, Sequence[float]]) -> Robot:
    """The robot with tighter limits, each [low, high]: of a command, of a state, of the arena.

    Raises ValueError with the name of the limit and what was expected of it.
    """
    spec = robot.spec
    names = (*spec.action, *spec.state)
    known = [*(quantity.name for quantity in names), "arena_x", "arena_y"]
    action, envelope = list(spec.action), spec.envelope
    for name, given in limits.items():
        if name not in known:
            raise ValueError(f"{name}: expected one of {', '.join(known)}")
        low, high = _range(name, given)
        commands = [k for k, limit in enumerate(action) if limit.name == name]
        if commands:
            action[commands[0]] = _command(action[commands[0]], low, high)
        else:
            envelope = _envelope(envelope, name, low, high)
    tighter = copy.copy(robot)
    tighter.spec = replace(spec, action=tuple(action), envelope=envelope)
    return tighter


def limits_of(robot: Robot) -> dict[str, tuple[float, float]]:
    """Return every limit of a robot, [low, high], by the name that `narrowed` knows it by."""
    spec, envelope = robot.spec, robot.spec.envelope
    x_low, x_high, y_low, y_high = envelope.arena
    free = (-np.inf, np.inf)
    return {
        **{each.name: envelope.state_limits.get(each.name, free) for each in spec.state},
        **{limit.name: (limit.low, limit.high) for limit in spec.action},
        "arena_x": (x_low, x_high),
        "arena_y": (y_low, y_high),
    }


def _range(name: str, given: Sequence[float]) -> tuple[float, float]:
    try:
        low, high = (float(value) for value in given)
    except (TypeError, ValueError):
        raise ValueError(f"{name}: expected [low, high], got {given!r}") from None
    if not low < high:
        raise ValueError(f"{name}: expected low below high, got {low:g} and {high:g}")
    return low, high


def _within(name: str, low: float, high: float, own: tuple[float, float]) -> None:
    if not own[0] <= low < high <= own[1]:
        raise ValueError(
            f"{name}: expected a range within {own[0]:g} to {own[1]:g}, got {low:g} to {high:g}"
        )


def _command(limit: Limit, low: float, high: float) -> Limit:
    _within(limit.name, low, high, (limit.low, limit.high))
    stand = float(np.clip(0.0, limit.low, limit.high))
    if not low <= stand <= high:
        raise ValueError(f"{limit.name}: expected a range with {stand:g} in it: standing still")
    return replace(limit, low=low, high=high)


def _envelope(envelope: Envelope, name: str, low: float, high: float) -> Envelope:
    x_low, x_high, y_low, y_high = envelope.arena
    if name == "arena_x":
        _within(name, low, high, (x_low, x_high))
        return replace(envelope, arena=(low, high, y_low, y_high))
    if name == "arena_y":
        _within(name, low, high, (y_low, y_high))
        return replace(envelope, arena=(x_low, x_high, low, high))
    own = envelope.state_limits.get(name, (-np.inf, np.inf))
    _within(name, low, high, own)
    limits = {**envelope.state_limits, name: (low, high)}
    return replace(envelope, state_limits=MappingProxyType(limits))
