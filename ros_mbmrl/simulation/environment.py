"""Environment: N robots that are stepped together, each with a clock of its own.

Simulated robots, twins behind the interface of a plant, and a learned model are all environments.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ros_mbmrl.robots.rewards import Reach
from ros_mbmrl.robots.spec import Array, Robot, RobotSpec
from ros_mbmrl.robots.task import Task

Flags = NDArray[np.bool_]
Observation = NDArray[np.float32]


@dataclass(frozen=True)
class Transition:
    """The outcome of one control period, a row a robot.

    Args:
        observation: (N, do), what a policy sees at its end.
        reward: (N,), for the period.
        terminated: (N,), nothing more can come: the physics broke down, or the task is done.
        truncated: (N,), the episode's time is up, though the robot could go on.
    """

    observation: Observation
    reward: Array
    terminated: Flags
    truncated: Flags


class Environment(Protocol):
    """N robots of one kind. A row's outcome depends on its own situation, seed and commands."""

    @property
    def robot(self) -> Robot:
        """The kind of all rows."""

    @property
    def times(self) -> Array:
        """Time of each row since its reset (N,) [s]."""

    @property
    def goals(self) -> Array:
        """The part of each row's task that its state does not tell (N, g); g may be 0."""

    def __len__(self) -> int:
        """Return N."""

    def tasks(self) -> list[Task]:
        """Return a task for each row, as it starts from where the row is now."""

    def states(self) -> Array:
        """Return the states (N, ds), as the robots' own software estimates them."""

    def observe(self) -> Observation:
        """Return what a policy sees of each row (N, do); see `observe`."""

    def step(self, actions: Array) -> Transition:
        """Let one control period pass under commands (N, da).

        A row that terminated stays as it is until it is reset. Raises ValueError for commands
        beyond the robot's limits.
        """

    def reset(self, mask: Flags, situations: Sequence[Any], seeds: Sequence[int]) -> None:
        """Begin anew in the rows of `mask` (N,), and leave the others alone.

        Args:
            mask: which rows; n of them.
            situations: (n,), what each of them is put into, of the kind that the environment has.
            seeds: (n,), of everything random in it.
        """


def observe(robot: Robot, states: Array, goals: Array) -> Observation:
    """Return what a policy sees (N, do) of the states (N, ds), then the goals (N, g)."""
    import torch

    seen = robot.observation(torch.as_tensor(states, dtype=torch.float32)).numpy()
    return np.concatenate([seen, goals.astype(np.float32)], axis=-1)


def tasks_of(robot: Robot, states: Array, goals: Array) -> list[Task]:
    """Return the robot's first task from each of the states (N, ds), with goals (N, g)."""
    if goals.shape[1]:
        return [Reach(len(robot.spec.state) - goals.shape[1], goal) for goal in goals]
    name = robot.tasks()[0]
    return [robot.make_task(name, state) for state in states]


def rows_of(mask: Flags, *each: Sequence[Any]) -> NDArray[np.intp]:
    """Return the rows (n,) that `mask` (N,) names. Raises ValueError if `each` is not of them."""
    rows = np.flatnonzero(mask)
    if not all(len(part) == len(rows) for part in each):
        raise ValueError(f"expected {len(rows)} of each to reset, got {[len(p) for p in each]}")
    return rows


def clipped(spec: RobotSpec, actions: Array, shape: tuple[int, ...]) -> Array:
    """Return the commands (..., da) without what rounding put beyond the limits.

    Raises ValueError for more than that, for what is no number, and for another shape.
    """
    if np.shape(actions) == shape:
        held = np.clip(actions, spec.action_low, spec.action_high)
        # A comparison with NaN is false. Limits may have been through float32.
        if (np.abs(held - actions) <= 1e-4).all():
            return held
    raise ValueError(f"actions: expected {shape} within the limits")
