"""Mechanisms: robots of a few coordinates that are measured as they are, with one task at most."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ros_mbmrl.errors import choose
from ros_mbmrl.robots.quantities import Limit, Quantity
from ros_mbmrl.robots.spec import Array, Envelope, Robot, RobotSpec

if TYPE_CHECKING:
    from torch import Tensor

    from ros_mbmrl.robots.task import Task

Derivative = Callable[["Tensor"], "Tensor"]


class Stationary(ABC):
    """A `Task` whose cost of a period follows from the states and the command alone."""

    batched = stationary = True

    def reference(self, state: Array) -> Tensor:
        """Return an empty reference (0,): the goal is always the same."""
        import torch

        return torch.zeros(0)

    @abstractmethod
    def cost(self, states: Tensor, actions: Tensor, reference: Tensor) -> Tensor:
        """Return the summed costs (..., K) of states (..., K, H+1, ds). See `Task.cost`."""


class Mechanism(Robot):
    """A robot whose state is measured; a model sees cosine and sine of each of its angles.

    Args:
        name: of the robot.
        period: control period [s].
        state: the ordered state.
        channels: see `RobotSpec`.
        action: names, units and ranges of the command, which may cross its range in one period.
        angles: names of the states that turn, and are the same again after 2 pi.
        task: name of its task, and what makes it; None: it has none.
    """

    def __init__(
        self,
        name: str,
        period: float,
        state: Sequence[Quantity],
        channels: Sequence[str],
        action: Sequence[tuple[str, str, float, float]],
        angles: Sequence[str] = (),
        task: tuple[str, Callable[[], Task]] | None = None,
    ) -> None:
        self._task = task
        self._turns = tuple(quantity.name in angles for quantity in state)
        features = [
            (f"cos_{quantity.name}", f"sin_{quantity.name}") if turns else (quantity.name,)
            for quantity, turns in zip(state, self._turns, strict=True)
        ]
        self.spec = RobotSpec(
            name=name,
            period=period,
            measurement=tuple(state),
            channels=tuple(channels),
            state=tuple(state),
            action=tuple(
                Limit(name, unit, low, high, (high - low) / period)
                for name, unit, low, high in action
            ),
            features=tuple(feature for each in features for feature in each),
            changes=tuple(state),
            change_weights=(1.0,) * len(state),
            envelope=Envelope(0.25, 0.25, 25.0),
        )

    def estimate(self, measurement: Array, previous: Array | None, dt: float) -> Array:
        """See `Robot.estimate`: it is measured as it is."""
        return np.array(measurement)

    def features(self, state: Tensor) -> Tensor:
        """See `Robot.features`."""
        import torch

        if not any(self._turns):
            return state
        found = list[torch.Tensor]()
        for value, turns in zip(state.unbind(-1), self._turns, strict=True):
            found += [value.cos(), value.sin()] if turns else [value]
        return torch.stack(found, dim=-1)

    def difference(self, state: Tensor, next_state: Tensor) -> Tensor:
        """See `Robot.difference`; an angle that crossed +-pi went the short way."""
        import torch

        change = next_state - state
        if not any(self._turns):
            return change
        return torch.where(torch.tensor(self._turns, device=change.device), wrapped(change), change)

    def advance(self, state: Tensor, change: Tensor) -> Tensor:
        """See `Robot.advance`."""
        return state + change

    @property
    def follows_paths(self) -> bool:
        """See `Robot.follows_paths`: it has no paths."""
        return False

    def tasks(self) -> Sequence[str]:
        """See `Robot.tasks`."""
        return () if self._task is None else (self._task[0],)

    def make_task(self, name: str, start: Array) -> Task:
        """See `Robot.make_task`."""
        choose("task", name, self.tasks())
        assert self._task is not None
        return self._task[1]()


def wrapped(angle: Tensor) -> Tensor:
    """Return angles from -pi to pi [rad], with their gradient."""
    return (angle + math.pi) % (2 * math.pi) - math.pi


def runge_kutta(derivative: Derivative, states: Tensor, seconds: float, steps: int) -> Tensor:
    """Return states (N, ds) after `seconds`, by so many steps of the classical fourth-order rule.

    derivative: gives the rates of change (N, ds) of states (N, ds).
    """
    step = seconds / steps
    for _ in range(steps):
        first = derivative(states)
        second = derivative(states + 0.5 * step * first)
        third = derivative(states + 0.5 * step * second)
        fourth = derivative(states + step * third)
        states = states + step / 6 * (first + 2 * second + 2 * third + fourth)
    return states
