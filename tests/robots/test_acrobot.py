"""The acrobot beside gymnasium's, its energy, derivatives and costs."""

from __future__ import annotations

import math
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from torch import Tensor

from ros_mbmrl.robots.acrobot import (
    FASTEST,
    GRAVITY,
    SWING_ABOVE,
    Acrobot,
    above,
    motion,
    physics,
    torque_of,
)
from ros_mbmrl.robots.mechanism import runge_kutta
from ros_mbmrl.robots.task import is_stationary

ROBOT = Acrobot()
ORDER = [0, 2, 1, 3]  # gymnasium's state from ours, and ours from gymnasium's


def energy(states: Tensor, masses: Tensor) -> Tensor:
    """Return kinetic and potential energy (N,) [J]; links of 1 m and 1 kg m^2."""
    first, w1, second, w2 = states.unbind(-1)
    m1, m2 = masses.unbind(-1)
    both = w1 + w2
    moved = w1**2 + both**2 / 4 + w1 * both * second.cos()  # speed^2 of the second link's middle
    kinetic = (m1 / 4 + 1) * w1**2 / 2 + m2 * moved / 2 + both**2 / 2
    heights = -m1 * first.cos() / 2 - m2 * (first.cos() + (first + second).cos() / 2)
    return kinetic + GRAVITY * heights


@pytest.fixture
def several() -> tuple[Tensor, Tensor]:
    """Return states (40, 4) and masses (40, 2) of 0.8 to 1.2 kg."""
    generator = torch.Generator().manual_seed(1)
    states = torch.randn(40, 4, generator=generator, dtype=torch.float64) * 2
    return states, 0.8 + 0.4 * torch.rand(40, 2, generator=generator, dtype=torch.float64)


def test_it_moves_pays_and_ends_as_gymnasiums() -> None:
    theirs: Any = gymnasium.make("Acrobot-v1").unwrapped
    rng = np.random.default_rng(0)
    theirs.reset(seed=0)
    task, masses = ROBOT.make_task(SWING_ABOVE, np.zeros(4)), torch.ones(1, 2, dtype=torch.float64)
    ends = 0
    for _ in range(100):
        state = rng.uniform(-1, 1, 4) * (math.pi, FASTEST[0], math.pi, FASTEST[1])
        torque = int(rng.integers(3))
        theirs.state = state[ORDER]
        _, reward, ended, *_ = theirs.step(torque)
        before = torch.as_tensor(state)[None]
        sent = torch.tensor([[torque - 1.0]], dtype=torch.float64)
        moved = physics(before, sent, masses)
        np.testing.assert_allclose(moved[0], theirs.state[ORDER], atol=1e-9)
        cost = task.cost(torch.stack([before, moved], 1), sent[:, None], torch.zeros(0))
        assert float(cost) == -reward and bool(above(moved)) == ended
        ends += ended
    assert 0 < ends < 100


def test_without_torque_energy_stays(several: tuple[Tensor, Tensor]) -> None:
    states, masses = several
    free = torch.zeros(len(states), dtype=torch.float64)
    after = runge_kutta(lambda now: motion(now, free, masses), states, 1.0, 400)
    torch.testing.assert_close(energy(after, masses), energy(states, masses), atol=1e-5, rtol=0)


def test_power_is_torque_times_the_second_joints_speed(several: tuple[Tensor, Tensor]) -> None:
    states, masses = several
    states.requires_grad_()
    torque = torch.linspace(-1, 1, len(states), dtype=torch.float64)
    (slope,) = torch.autograd.grad(energy(states, masses).sum(), states)
    power = (slope * motion(states, torque, masses)).sum(-1)
    torch.testing.assert_close(power, torque * states[:, 3])


def test_gradients_are_those_of_differences() -> None:
    state = torch.tensor([[0.3, 0.5, -0.4, 1.0]], dtype=torch.float64, requires_grad=True)
    masses = torch.tensor([[0.9, 1.1]], dtype=torch.float64, requires_grad=True)
    torque = torch.ones(1, 1, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda s, m: physics(s, torque, m), (state, masses))


def test_a_command_acts_as_the_nearest_of_three_torques() -> None:
    commands = torch.tensor([-1.2, -0.6, -0.4, 0.0, 0.49, 0.51, 1.0])
    assert torque_of(commands).tolist() == [-1, -1, 0, 0, 0, 1, 1]


def test_costs_by_hand() -> None:
    task = ROBOT.make_task(SWING_ABOVE, np.zeros(4))
    upright, low = [math.pi, 0.0, 0.0, 0.0], [math.pi / 2, 0.0, 0.0, 0.0]
    bent = [math.pi, 0.0, 1.0, 0.0]  # the tip is 1 + cos(1) = 1.54 m above the joint
    states = torch.tensor([[upright, low, bent, low, upright]])
    assert task.cost(states, torch.zeros(1, 4, 1), torch.zeros(0)).tolist() == [2.0]
    assert is_stationary(task) and ROBOT.tasks() == (SWING_ABOVE,)
