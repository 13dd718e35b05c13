"""Cart-pole: a cart on a rail that swings up a pole; its physics are a function of torch.

The system of PILCO (Deisenroth and Rasmussen 2011) and of Gal et al. 2016: a uniform rod that hangs
down at theta = 0, friction between cart and rail, a force of up to 10 N for periods of 0.1 s. The
masses differ from one task to another (Wang and van Hoof, "Model-based Meta Reinforcement Learning
using Graph Structured Surrogate Models", section 5.1).

The paper refers to deep-pilco-torch (https://github.com/BrunoKM/deep-pilco-torch) for it, and so
this is that code's system: a pole of 0.6 m, and one explicit step of Euler a period. Such steps add
energy to a pendulum. Integrated finely, no commands were found that swing these masses up as well
within 25 periods as the paper's policies do (docs/results.md).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ros_mbmrl.robots.mechanism import Mechanism, Stationary
from ros_mbmrl.robots.quantities import Quantity

if TYPE_CHECKING:
    from torch import Tensor

CART_POLE, SWING_UP = "cart-pole", "swing_up"
PERIOD = 0.1  # [s]
GRAVITY, LENGTH, FRICTION = 9.82, 0.6, 0.1  # [m/s^2], of the pole [m], of the cart [N s/m]
FORCE = 10.0  # largest [N]
WIDTH = 0.25  # sigma_c of the reward [m]
CHANNELS = ("position.0", "position.1", "velocity.0", "velocity.1")
STATE = (
    Quantity("x", "m"),
    Quantity("theta", "rad"),
    Quantity("x_velocity", "m/s"),
    Quantity("theta_velocity", "rad/s"),
)


@dataclass(frozen=True)
class SwingUp(Stationary):
    """A `Task`: hold the pole's tip at (0, LENGTH), straight above where the cart begins.

    A period costs 1 - exp(-d^2 / (2 sigma_c^2)), d the tip's distance from there at its end. Table
    3 of the paper prints that as the reward, without the 2. But it is largest far away, and the
    returns of table 1 are negative: so it is the cost, and the reward its negative. The 2 is
    PILCO's, and that of the code that the paper refers to.

    width: sigma_c [m].
    """

    width: float = WIDTH

    def widened(self, factor: float) -> SwingUp:
        """Return the task with a reward that is as flat, but `factor` times as far away.

        From where the pole hangs the gradient of the reward itself is 1e-4 of its height.
        """
        return replace(self, width=factor * self.width)

    def cost(self, states: Tensor, actions: Tensor, reference: Tensor) -> Tensor:
        """Return the summed costs (..., K) of states (..., K, H+1, 4). See `Task.cost`."""
        x, theta = states[..., 1:, 0], states[..., 1:, 1]
        aside, below = x + LENGTH * theta.sin(), LENGTH * (1 + theta.cos())
        distance = aside.square() + below.square()
        return (1 - (-0.5 * distance / self.width**2).exp()).sum(-1)


class CartPole(Mechanism):
    """A cart, moved by a force, and a pole that turns freely on it."""

    def __init__(self) -> None:
        super().__init__(
            CART_POLE,
            PERIOD,
            STATE,
            channels=[f"joint_states.{each}" for each in CHANNELS],
            action=[("force", "N", -FORCE, FORCE)],
            angles=("theta",),
            task=(SWING_UP, SwingUp),
        )


def physics(states: Tensor, forces: Tensor, masses: Tensor) -> Tensor:
    """Return the next states (N, 4) of states (N, 4) under forces (N, 1) [N], differentiable.

    masses: of cart and pole (N, 2) [kg].
    """
    force = forces[..., 0].clamp(-FORCE, FORCE)
    return states + PERIOD * motion(states, force, masses)


def motion(states: Tensor, force: Tensor, masses: Tensor, friction: float = FRICTION) -> Tensor:
    """Return the rates of change (N, 4) of states (N, 4) under forces (N,) [N]."""
    import torch

    _, theta, speed, turning = states.unbind(-1)
    cart, pole = masses.unbind(-1)
    sine, cosine, pushed = theta.sin(), theta.cos(), force - friction * speed
    swung = pole * LENGTH * turning.square() * sine  # twice the pole's pull on the cart by turning
    inertia = 4 * (cart + pole) - 3 * pole * cosine.square()
    along = 2 * swung + 3 * pole * GRAVITY * sine * cosine + 4 * pushed
    about = 3 * swung * cosine + 6 * (cart + pole) * GRAVITY * sine + 6 * pushed * cosine
    return torch.stack([speed, turning, along / inertia, -about / (LENGTH * inertia)], dim=-1)
