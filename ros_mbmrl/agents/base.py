"""Agent: acts for N robots at once, from their states alone. It never sees a simulator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ros_mbmrl.robots.spec import Array, Robot
from ros_mbmrl.robots.task import Task

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Context:
    """Facts that an agent is told at the beginning of a run.

    Args:
        robot: of which kind all N robots are.
        seeds: of everything random, one a robot; a robot's outcome depends on its own alone.
        tasks: one a robot, all of one kind.
        goals: (N, g), what each robot's state does not say of its task; g may be 0.
    """

    robot: Robot
    seeds: Sequence[int]
    tasks: Sequence[Task]
    goals: Array

    def __post_init__(self) -> None:
        if not len(self.seeds) == len(self.tasks) == len(self.goals):
            raise ValueError(
                f"seeds, tasks, goals: expected as many of each, "
                f"got {len(self.seeds)}, {len(self.tasks)} and {len(self.goals)}"
            )

    def __len__(self) -> int:
        return len(self.seeds)


@dataclass(frozen=True)
class Diagnostics:
    """Errors of an agent's model on what was done, all (N,); of T steps, with T first.

    Args:
        error_before, error_after: of the prior and of the model used, see `AdaptReport`.
        accepted: whether the model used is an adapted one.
        effectiveness: (N, da), the share of each command that acts under the cause that is told
            (`Teller`), whether the guard accepts the update or not; None of an agent that infers
            none.
        causes: (N, k), the causes beside the actuators under the most probable hypothesis, whether
            the guard accepts the update or not; None of a model without inputs for any.
    """

    error_before: Array
    error_after: Array
    accepted: Flags
    effectiveness: Array | None = None
    causes: Array | None = None


@dataclass(frozen=True)
class Action:
    """The commands that an agent proposes.

    Args:
        commands: (N, da) in the unit of the robot's command.
        diagnostics: None of an agent without a model.
        failed: (N,), where no finite plan was found and the command is rest; None: nowhere.
    """

    commands: Array
    diagnostics: Diagnostics | None = None
    failed: Flags | None = None


class Agent(Protocol):
    """Acts for N robots at once; each as if it were alone."""

    def begin(self, context: Context) -> None:
        """Start a new run."""

    def act(self, states: Array, time: float) -> Action:
        """Propose commands in the states (N, ds) of `time` [s]."""

    def acted(self, commands: Array) -> None:
        """Take in the commands (N, da) that were really sent, after safety."""
