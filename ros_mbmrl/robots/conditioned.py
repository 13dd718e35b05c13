"""ConditionedRobot: a robot whose model has an input for each cause beside the actuators.

The causes are features at the end of the others, always at their defaults: whatever plans, adapts
or judges needs to know nothing of them. Training sets them to what the simulation knows; at run
time an update of the inputs shifts them to what is inferred.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ros_mbmrl.robots.quantities import Cause
from ros_mbmrl.robots.spec import Array, Robot, RobotSpec

if TYPE_CHECKING:
    from torch import Generator, Tensor

    from ros_mbmrl.robots.task import Task


class ConditionedRobot(Robot):
    """A robot with a feature for each of its causes; in all else the robot itself.

    Args:
        robot: whose specification names causes.

    Raises:
        ValueError: it names none, or a feature has the name of one.
    """

    def __init__(self, robot: Robot) -> None:
        names = tuple(cause.name for cause in robot.spec.causes)
        if not names:
            raise ValueError(f"{robot.spec.name}: expected causes in its specification, got none")
        spec = robot.spec
        taken = {*names, *spec.cause_frame} & set(spec.features)
        if taken:
            raise ValueError(f"{spec.name}: cause '{sorted(taken)[0]}' is a feature, too")
        self.robot = robot
        self.spec: RobotSpec = replace(spec, features=(*spec.features, *spec.cause_frame, *names))
        state = [quantity.name for quantity in spec.state]
        self._frame = [state.index(name) for name in spec.cause_frame]

    def features(self, state: Tensor) -> Tensor:
        """Return the robot's features, those of `cause_frame`, then the defaults of its causes."""
        import torch

        own = torch.cat([self.robot.features(state), state[..., self._frame]], dim=-1)
        defaults = own.new_tensor([cause.default for cause in self.spec.causes])
        return torch.cat([own, defaults.expand(*own.shape[:-1], -1)], dim=-1)

    @property
    def observed(self) -> tuple[str, ...]:
        """See `Robot.observed`: a policy does not see causes."""
        return self.robot.observed

    def observation(self, state: Tensor) -> Tensor:
        """See `Robot.observation`."""
        return self.robot.observation(state)

    def as_modelled(self, features: Sequence[str]) -> Robot:
        """See `Robot.as_modelled`."""
        return self.robot.as_modelled(features)

    def estimate(self, measurement: Array, previous: Array | None, dt: float) -> Array:
        """See `Robot.estimate`."""
        return self.robot.estimate(measurement, previous, dt)

    def pose(self, state: Array) -> tuple[float, float, float] | None:
        """See `Robot.pose`."""
        return self.robot.pose(state)

    def tilt(self, state: Array) -> float:
        """See `Robot.tilt`."""
        return self.robot.tilt(state)

    def battery(self, state: Array) -> float | None:
        """See `Robot.battery`."""
        return self.robot.battery(state)

    def retreat(self, state: Array, target: tuple[float, float]) -> Array:
        """See `Robot.retreat`."""
        return self.robot.retreat(state, target)

    def difference(self, state: Tensor, next_state: Tensor) -> Tensor:
        """See `Robot.difference`."""
        return self.robot.difference(state, next_state)

    def advance(self, state: Tensor, change: Tensor) -> Tensor:
        """See `Robot.advance`."""
        return self.robot.advance(state, change)

    def augmentation(
        self, options: Mapping[str, float]
    ) -> Callable[[Tensor, Tensor, Tensor, Generator], tuple[Tensor, Tensor, Tensor]]:
        """See `Robot.augmentation`."""
        return self.robot.augmentation(options)

    @property
    def follows_paths(self) -> bool:
        """See `Robot.follows_paths`."""
        return self.robot.follows_paths

    def tasks(self) -> Sequence[str]:
        """See `Robot.tasks`."""
        return self.robot.tasks()

    def make_task(self, name: str, start: Array) -> Task:
        """See `Robot.make_task`."""
        return self.robot.make_task(name, start)


def unconditioned(robot: Robot) -> Robot:
    """Return the robot without features for causes."""
    return robot.robot if isinstance(robot, ConditionedRobot) else robot


def modelled_causes(spec: RobotSpec) -> tuple[Cause, ...]:
    """Return the causes that a model of this specification has inputs for: all, or none."""
    return tuple(cause for cause in spec.causes if cause.name in spec.features)
