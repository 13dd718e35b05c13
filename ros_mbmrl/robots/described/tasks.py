"""Tasks that a robot's file describes: a goal in its states, or a formula to make small."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from ros_mbmrl.robots.described.description import TaskDescription
from ros_mbmrl.robots.described.expression import Expression, tensor_functions
from ros_mbmrl.robots.described.task_reading import formula_names
from ros_mbmrl.robots.running import Course, RunCourse, Score, Trunk
from ros_mbmrl.robots.spec import Array, RobotSpec
from ros_mbmrl.robots.task import Task

if TYPE_CHECKING:
    from ros_mbmrl.robots.described.robot import DescribedRobot

CHANGE = 2.0  # change of a command that costs 1, as a part of its range: as on paths


def make_described_task(robot: DescribedRobot, task: TaskDescription) -> Task:
    """Return a task of the robot's file."""
    if task.kind == "goal":
        wraps = [each.name for each in robot.description.scalars if each.wraps]
        return GoalTask(robot.spec, task.goal, task.scale, wraps)
    if task.kind == "cost":
        return FormulaTask(robot.spec, task.cost)
    score = Score(robot.spec.period, Trunk(y=1, z=2, rotation=3), effort=0.0)
    return RunCourse(score, Course(task.heading, task.speed))


class GoalTask:
    """A `Task`: bring states to wanted values and keep them there.

    Args:
        spec: of the robot.
        goal: wanted values by state.
        scale: error that costs 1, by state.
        wraps: states whose whole turns do not matter.
    """

    batched = stationary = True

    def __init__(
        self,
        spec: RobotSpec,
        goal: Mapping[str, float],
        scale: Mapping[str, float],
        wraps: list[str],
    ) -> None:
        names = [quantity.name for quantity in spec.state]
        self._columns = [names.index(name) for name in goal]
        self._goal = torch.tensor(list(goal.values()), dtype=torch.float32)
        self._scale = torch.tensor([scale[name] for name in goal], dtype=torch.float32)
        self._turns = torch.tensor([float(name in wraps) for name in goal])
        self._span = torch.as_tensor(spec.action_high - spec.action_low, dtype=torch.float32)

    def reference(self, state: Array) -> Tensor:
        """Return nothing: the goal is always the same."""
        return torch.zeros(0)

    def cost(self, states: Tensor, actions: Tensor, reference: Tensor) -> Tensor:
        """Return the mean squared scaled errors over the steps (..., K). See `Task.cost`."""
        errors = self._errors(states[..., 1:, :]).square().sum(-1)
        change = actions.diff(dim=-2) / (CHANGE * self._span.to(actions.device))
        steps = actions.shape[-2]
        total: Tensor = errors.mean(-1) + change.square().sum((-2, -1)) / steps
        return total

    def _errors(self, states: Tensor) -> Tensor:
        place = states.device
        error = states[..., self._columns] - self._goal.to(place)
        turns = 2 * math.pi * (error / (2 * math.pi)).round()
        return (error - turns * self._turns.to(place)) / self._scale.to(place)

    def measured(self, states: Array) -> dict[tuple[str, str], Array]:
        """Return the error in scales. See `Measured.measured`."""
        errors = self._errors(torch.as_tensor(states[1:], dtype=torch.float32))
        return {("error", "1"): np.asarray(errors.square().mean(-1).sqrt().numpy(), float)}


class FormulaTask:
    """A `Task`: keep the mean of a formula over the control periods small.

    Args:
        spec: of the robot.
        cost: the formula, of states at a period's end, `before_` them at its beginning, of
            `command_` and its `change_` since the period before (0 in a plan's first period).
    """

    batched = stationary = True

    def __init__(self, spec: RobotSpec, cost: str) -> None:
        self._states = [quantity.name for quantity in spec.state]
        self._commands = [limit.name for limit in spec.action]
        self._formula = Expression(cost, formula_names(self._states, spec.action))
        self._functions = tensor_functions()

    def reference(self, state: Array) -> Tensor:
        """Return nothing: the formula is always the same."""
        return torch.zeros(0)

    def cost(self, states: Tensor, actions: Tensor, reference: Tensor) -> Tensor:
        """Return the formula's mean over the steps (..., K). See `Task.cost`."""
        value = torch.as_tensor(self._formula(self._named(states, actions), self._functions))
        return value.expand(actions.shape[:-1]).to(states.dtype).mean(-1)

    def _named(self, states: Tensor, actions: Tensor) -> dict[str, Any]:
        used, values = self._formula.names, dict[str, Any]()
        for k, name in enumerate(self._states):
            if name in used:
                values[name] = states[..., 1:, k]
            if f"before_{name}" in used:
                values[f"before_{name}"] = states[..., :-1, k]
        for k, name in enumerate(self._commands):
            if f"command_{name}" in used:
                values[f"command_{name}"] = actions[..., k]
            if f"change_{name}" in used:
                own = actions[..., k]
                values[f"change_{name}"] = own.diff(dim=-1, prepend=own[..., :1])
        return values

    def measured(self, states: Array) -> dict[tuple[str, str], Array]:
        """Return nothing: the formula may need commands. See `Measured.measured`."""
        return {}
