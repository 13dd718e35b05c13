"""A task that a value function goes on with, where a plan ends."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from ros_mbmrl.dynamics.value import ValueFunction
from ros_mbmrl.planning.sampling import SamplingConfig
from ros_mbmrl.robots.task import Task, is_stationary


@dataclass(frozen=True)
class ValuedTask:
    """A `Task`: the cost of a plan, less the value of the state that it ends in.

    Args:
        task: a stationary one, which gives the cost.
        value: of the robot's states.
    """

    task: Task
    value: ValueFunction
    batched = True

    def reference(self, state: NDArray[np.float64]) -> Tensor:
        """See `Task.reference`."""
        return self.task.reference(state)

    def cost(self, states: Tensor, actions: Tensor, reference: Tensor) -> Tensor:
        """See `Task.cost`."""
        return self.task.cost(states, actions, reference) - self.value(states[..., -1, :])


def value_for(planner: object, value: ValueFunction | None) -> ValueFunction | None:
    """Return the value function, if the planner is one that wants it (`terminal_value`)."""
    config = getattr(planner, "config", None)
    wanted = isinstance(config, SamplingConfig) and config.terminal_value
    return value if wanted else None


def with_value(task: Task, value: ValueFunction | None) -> Task:
    """Return the task as it is planned for: with what comes after the plan, where that is known."""
    return task if value is None or not is_stationary(task) else ValuedTask(task, value)
