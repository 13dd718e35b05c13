"""The cart-pole: energy, derivatives and costs by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from ros_mbmrl.robots.cart_pole import (
    FORCE,
    GRAVITY,
    LENGTH,
    SWING_UP,
    CartPole,
    SwingUp,
    motion,
    physics,
)
from ros_mbmrl.robots.mechanism import runge_kutta
from ros_mbmrl.robots.task import is_stationary

ROBOT = CartPole()
TASK = ROBOT.make_task(SWING_UP, np.zeros(4))


def double(*rows: list[float]) -> Tensor:
    return torch.tensor(rows, dtype=torch.float64)


def energy(states: Tensor, masses: Tensor) -> Tensor:
    """Return kinetic and potential energy (N,) [J] of a cart and a uniform rod."""
    _, theta, speed, turning = states.unbind(-1)
    cart, pole = masses.unbind(-1)
    moving = (cart + pole) * speed**2 / 2 + pole * LENGTH * speed * turning * theta.cos() / 2
    rotating = pole * LENGTH**2 * turning**2 / 6
    return moving + rotating - pole * GRAVITY * LENGTH * theta.cos() / 2


def test_without_friction_and_force_energy_stays() -> None:
    generator = torch.Generator().manual_seed(0)
    start = torch.randn(20, 4, generator=generator, dtype=torch.float64) * 2
    masses = 0.5 + torch.rand(20, 2, generator=generator, dtype=torch.float64)
    free = torch.zeros(20, dtype=torch.float64)

    def moving(states: Tensor) -> Tensor:
        return motion(states, free, masses, friction=0.0)

    after = runge_kutta(moving, start, 2.0, 400)
    torch.testing.assert_close(energy(after, masses), energy(start, masses), atol=1e-6, rtol=0)


def test_a_control_period_is_one_step_of_euler_which_adds_energy() -> None:
    state, force, masses = double([0.2, 2.0, 1.0, 3.0]), double([7.0]), double([1.2, 0.8])
    rates = motion(state, force[:, 0], masses)
    assert rates[0, :2].tolist() == [1.0, 3.0]
    expected = [0.2 + 0.1, 2.0 + 0.3, *(state + 0.1 * rates)[0, 2:].tolist()]
    assert physics(state, force, masses)[0].tolist() == pytest.approx(expected)
    swinging, free = double([0.0, 1.0, 0.0, 0.0]), double([0.0])
    before = energy(swinging, masses)
    for _ in range(25):
        swinging = physics(swinging, free, masses)
    assert energy(swinging, masses).item() > before.item() + 0.5  # [J], friction or not


def test_the_motion_is_that_of_the_code_that_the_paper_refers_to() -> None:
    """Its angle is 0 upright; its terms are written out here as they stand there."""
    generator = torch.Generator().manual_seed(1)
    states = torch.randn(50, 4, generator=generator, dtype=torch.float64) * 2
    force = torch.randn(50, generator=generator, dtype=torch.float64) * 3
    masses = 0.5 + torch.rand(50, 2, generator=generator, dtype=torch.float64)
    (cart, pole), (_, theta, speed, turning) = masses.unbind(-1), states.unbind(-1)
    both, s, c = cart + pole, (theta + math.pi).sin(), (theta + math.pi).cos()
    pushed = force - 0.1 * speed
    x = -2 * pole * LENGTH * turning**2 * s + 3 * pole * GRAVITY * s * c + 4 * pushed
    x = x / (4 * both - 3 * pole * c**2)
    turn = -3 * pole * LENGTH * turning**2 * s * c + 6 * both * GRAVITY * s + 6 * pushed * c
    turn = turn / (4 * LENGTH * both - 3 * pole * LENGTH * c**2)
    found = motion(states, force, masses)
    torch.testing.assert_close(found, torch.stack([speed, turning, x, turn], dim=-1))


def test_pushed_from_rest_it_accelerates_as_by_hand() -> None:
    """At theta = 0: x'' = 4 F / (4 M + m), theta'' = -1.5 x'' / LENGTH."""
    masses, force = double([1.5, 0.8]), double([2.0])[0]
    along = 4 * 2.0 / (4 * 1.5 + 0.8)
    rates = motion(double([0.3, 0.0, 0.0, 0.0]), force, masses)[0]
    assert rates.tolist() == pytest.approx([0, 0, along, -1.5 * along / LENGTH])
    level = motion(double([0.0, math.pi / 2, 0.0, 0.0]), 0 * force, masses)[0]
    assert level.tolist() == pytest.approx([0, 0, 0, -1.5 * GRAVITY / LENGTH], abs=1e-9)
    slowed = motion(double([0.0, 0.0, 2.0, 0.0]), 0 * force, masses)[0]
    assert slowed[2].item() == pytest.approx(-4 * 0.2 / (4 * 1.5 + 0.8))


def test_gradients_are_those_of_differences() -> None:
    state, force = double([0.1, 2.0, 0.5, -1.0]), double([3.0])
    given = [each.requires_grad_() for each in (state, force, double([1.5, 0.8]))]
    assert torch.autograd.gradcheck(physics, given)


def test_a_force_beyond_the_range_is_the_largest() -> None:
    state, masses = double([0.0, 0.1, 0.0, 0.0]), double([1.5, 0.8])
    most = physics(state, double([FORCE]), masses)
    assert torch.equal(physics(state, double([99.0]), masses), most)


def test_costs_by_hand() -> None:
    """The tip: (LENGTH sin theta, -LENGTH cos theta) from the cart; it shall be at (0, LENGTH)."""
    up, down = [0.0, math.pi, 1.0, 1.0], [0.0, 0.0, 0.0, 0.0]
    aside = [0.1, math.pi, 0.0, 0.0]
    tilted = [0.0, math.pi - 0.4, 0.0, 0.0]
    states = torch.tensor([[down, each] for each in (up, down, aside, tilted)])
    costs = TASK.cost(states, torch.zeros(4, 1, 1), TASK.reference(np.zeros(4)))
    far = (LENGTH * math.sin(0.4)) ** 2 + (LENGTH * (1 - math.cos(0.4))) ** 2
    low = (2 * LENGTH) ** 2
    expected = [0, *(1 - math.exp(-0.5 * d / 0.25**2) for d in (low, 0.1**2, far))]
    assert costs.tolist() == pytest.approx(expected, abs=1e-6)
    assert is_stationary(TASK)
    both = TASK.cost(torch.tensor([[down, down, aside]]), torch.zeros(1, 2, 1), torch.zeros(0))
    assert both.tolist() == pytest.approx([expected[1] + expected[2]])


def test_a_widened_reward_reaches_as_far() -> None:
    assert isinstance(TASK, SwingUp)
    wide, start = TASK.widened(4.0), TASK.reference(np.zeros(4))
    near, far = [0.05, math.pi, 0.0, 0.0], [0.2, math.pi, 0.0, 0.0]
    cost = TASK.cost(torch.tensor([[near, near]]), torch.zeros(1, 1, 1), start)
    assert wide.cost(torch.tensor([[far, far]]), torch.zeros(1, 1, 1), start).item() == (
        pytest.approx(cost.item(), rel=1e-4)
    )
