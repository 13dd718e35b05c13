"""Acrobot: two links of which only the second one is driven; its physics are a function of torch.

Dynamics, start and end are those of Sutton and Barto as gymnasium's Acrobot-v1 has them. The masses
differ from one task to another (Wang and van Hoof, "Model-based Meta Reinforcement Learning using
Graph Structured Surrogate Models", section 5.1).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ros_mbmrl.robots.mechanism import Mechanism, Stationary, runge_kutta, wrapped
from ros_mbmrl.robots.quantities import Quantity

if TYPE_CHECKING:
    from torch import Tensor

ACROBOT, SWING_ABOVE = "acrobot", "swing_above"
PERIOD = 0.2  # [s], one step of Runge and Kutta
GRAVITY = 9.8  # [m/s^2]
LENGTH, CENTRE, INERTIA = 1.0, 0.5, 1.0  # of a link: [m], of its mass [m], about that [kg m^2]
FASTEST = 4 * math.pi, 9 * math.pi  # largest speeds of the two joints [rad/s]
CHANNELS = ("position.0", "velocity.0", "position.1", "velocity.1")
STATE = (
    Quantity("theta1", "rad"),  # of the first link from hanging down
    Quantity("theta1_velocity", "rad/s"),
    Quantity("theta2", "rad"),  # of the second link from the first one's direction
    Quantity("theta2_velocity", "rad/s"),
)


class SwingAbove(Stationary):
    """A `Task`: bring the tip higher than one link above the first joint, as soon as possible.

    A period costs 1 unless the tip is above the line at its end. Table 3 of the paper prints the
    inequality as the reward; its returns (-0.42 to -0.94 a step of 200) are those of -1 a step
    until the line is crossed, when the episode ends, as in gymnasium.
    """

    def cost(self, states: Tensor, actions: Tensor, reference: Tensor) -> Tensor:
        """Return the summed costs (..., K) of states (..., K, H+1, 4). See `Task.cost`."""
        below = ~above(states[..., 1:, :])
        return below.to(states.dtype).sum(-1)


class Acrobot(Mechanism):
    """Two links; the command in [-1, 1] acts as the nearest of the torques -1, 0 and 1 N m.

    The paper's actions are these three torques. Commands are real numbers throughout this project;
    `torque_of` tells what a command becomes.
    """

    def __init__(self) -> None:
        super().__init__(
            ACROBOT,
            PERIOD,
            STATE,
            channels=[f"joint_states.{each}" for each in CHANNELS],
            action=[("torque", "N m", -1.0, 1.0)],
            angles=("theta1", "theta2"),
            task=(SWING_ABOVE, SwingAbove),
        )


def above(states: Tensor) -> Tensor:
    """Tell in which states (..., 4) the tip is above the line (...): episodes end there."""
    first, second = states[..., 0], states[..., 2]
    return -LENGTH * first.cos() - LENGTH * (first + second).cos() > LENGTH


def torque_of(commands: Tensor) -> Tensor:
    """Return the nearest of the torques -1, 0 and 1 N m for commands (...)."""
    return commands.clamp(-1.0, 1.0).round()


def physics(states: Tensor, commands: Tensor, masses: Tensor) -> Tensor:
    """Return the next states (N, 4) of states (N, 4) under commands (N, 1).

    Differentiable by states and masses; by commands the derivative is 0, as torques are discrete.
    Angles are from -pi to pi, and speeds are held within their limits.

    masses: of the two links (N, 2) [kg].
    """
    import torch

    torque = torque_of(commands[..., 0])
    moved = runge_kutta(lambda now: motion(now, torque, masses), states, PERIOD, 1)
    first, first_speed, second, second_speed = moved.unbind(-1)
    speeds = (first_speed, second_speed)
    held = [s.clamp(-most, most) for s, most in zip(speeds, FASTEST, strict=True)]
    return torch.stack([wrapped(first), held[0], wrapped(second), held[1]], dim=-1)


def motion(states: Tensor, torque: Tensor, masses: Tensor) -> Tensor:
    """Return the rates of change (N, 4) of states (N, 4) under torques (N,) [N m].

    The equations of Sutton and Barto's book: d1, d2, phi1, phi2.
    """
    import torch

    first, first_speed, second, second_speed = states.unbind(-1)
    m1, m2 = masses.unbind(-1)
    arm = m2 * LENGTH * CENTRE
    d1 = (m1 + m2) * CENTRE**2 + m2 * LENGTH**2 + 2 * arm * second.cos() + 2 * INERTIA
    d2 = m2 * CENTRE**2 + arm * second.cos() + INERTIA
    phi2 = m2 * CENTRE * GRAVITY * (first + second).sin()
    phi1 = (
        -arm * second.sin() * (second_speed.square() + 2 * second_speed * first_speed)
        + (m1 * CENTRE + m2 * LENGTH) * GRAVITY * first.sin()
        + phi2
    )
    driven = torque + d2 / d1 * phi1 - arm * first_speed.square() * second.sin() - phi2
    second_rate = driven / (m2 * CENTRE**2 + INERTIA - d2.square() / d1)
    first_rate = -(d2 * second_rate + phi1) / d1
    return torch.stack([first_speed, first_rate, second_speed, second_rate], dim=-1)
