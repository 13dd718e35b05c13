"""A cart on a rail, told how fast to go."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
from ros_mbmrl.errors import choose
from ros_mbmrl.robots.quantities import Limit, Quantity
from ros_mbmrl.robots.spec import Array, Envelope, Robot, RobotSpec

if TYPE_CHECKING:
    from ros_mbmrl.robots.task import Task
    from torch import Tensor

STATE = (Quantity("position", "m"), Quantity("speed", "m/s"))
GOALS = MappingProxyType({"near": 0.5, "far": 1.5})  # [m]

SPEC = RobotSpec(
    name="cart",
    period=0.1,
    measurement=STATE,
    channels=("joint_states.position.0", "joint_states.velocity.0"),
    state=STATE,
    action=(Limit("wheel", "m/s", low=-1.0, high=1.0, rate=10.0),),
    features=("speed",),
    changes=STATE,
    change_weights=(2.0, 1.0),
    envelope=Envelope(
        state_timeout=0.25,
        command_timeout=0.25,
        max_model_error=25.0,
        state_limits=MappingProxyType({"position": (-20.0, 20.0)}),
    ),
)


class Cart(Robot):
    """The cart's maps between measurement, state, features and change."""

    spec = SPEC

    def estimate(self, measurement: Array, previous: Array | None, dt: float) -> Array:
        """See `Robot.estimate`: everything is measured as it is."""
        return np.array(measurement)

    def features(self, state: Tensor) -> Tensor:
        """The speed: where the cart is does not matter to how it moves."""
        return state[..., 1:]

    def difference(self, state: Tensor, next_state: Tensor) -> Tensor:
        """Plain differences."""
        return next_state - state

    def advance(self, state: Tensor, change: Tensor) -> Tensor:
        """`difference` inverted."""
        return state + change

    def tasks(self) -> Sequence[str]:
        """Places to go to."""
        return tuple(GOALS)

    def make_task(self, name: str, start: Array) -> Task:
        """Go to the place called `name`."""
        choose("task", name, GOALS)
        return GoTo(GOALS[name])


class GoTo:
    """A `Task`: be at `goal` [m]."""

    def __init__(self, goal: float) -> None:
        self._goal = goal

    def reference(self, state: Array) -> Tensor:
        """The goal."""
        import torch

        return torch.tensor(self._goal)

    def cost(self, states: Tensor, actions: Tensor, reference: Tensor) -> Tensor:
        """Mean squared distance from the goal, in units of 10 cm. See `Task.cost`; costs (K,)."""
        return ((states[:, 1:, 0] - reference) / 0.1).square().mean(dim=1)
