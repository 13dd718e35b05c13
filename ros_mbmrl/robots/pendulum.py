"""Pendulum: a torque-limited joint to swing up and balance; its physics are a function of torch.

Masses, lengths, reward and episode are those of gymnasium's Pendulum-v1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ros_mbmrl.robots.mechanism import Mechanism, Stationary, wrapped
from ros_mbmrl.robots.quantities import Quantity

if TYPE_CHECKING:
    from torch import Tensor

PENDULUM, UPRIGHT = "pendulum", "upright"
PERIOD = 0.05  # [s]
GRAVITY, MASS, LENGTH = 10.0, 1.0, 1.0  # [m/s^2], [kg], [m]; a rod, turned at its end
TORQUE, FASTEST = 2.0, 8.0  # largest [N m], and largest speed [rad/s]
STATE = (Quantity("angle", "rad"), Quantity("speed", "rad/s"))  # the angle from upright


class Upright(Stationary):
    """A `Task`: stand upright. A period costs angle^2 + .1 speed^2 + .001 torque^2 at its begin."""

    def cost(self, states: Tensor, actions: Tensor, reference: Tensor) -> Tensor:
        """Return the summed costs (..., K) of states (..., K, H+1, 2). See `Task.cost`."""
        angle, speed = wrapped(states[..., :-1, 0]), states[..., :-1, 1]
        each = angle.square() + 0.1 * speed.square() + 0.001 * actions[..., 0].square()
        return each.sum(-1)


class Pendulum(Mechanism):
    """One joint."""

    def __init__(self) -> None:
        super().__init__(
            PENDULUM,
            PERIOD,
            STATE,
            channels=("joint_states.position.0", "joint_states.velocity.0"),
            action=[("torque", "N m", -TORQUE, TORQUE)],
            angles=("angle",),
            task=(UPRIGHT, Upright),
        )


def physics(states: Tensor, torques: Tensor) -> Tensor:
    """Return the next states (N, 2) of states (N, 2) under torques (N, 1), differentiable.

    One step of semi-implicit Euler, as gymnasium's; the speed is held within its limits.
    """
    import torch

    angle, speed = states.unbind(-1)
    torque = torques[..., 0].clamp(-TORQUE, TORQUE)
    gravity = 3 * GRAVITY / (2 * LENGTH) * angle.sin()
    speed = speed + PERIOD * (gravity + 3 / (MASS * LENGTH**2) * torque)
    speed = speed.clamp(-FASTEST, FASTEST)
    return torch.stack([angle + PERIOD * speed, speed], dim=-1)
