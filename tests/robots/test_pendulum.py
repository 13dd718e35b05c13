"""The pendulum beside gymnasium's, and the derivatives of its physics by hand."""

from __future__ import annotations

import math

import gymnasium
import numpy as np
import pytest
import torch

from ros_mbmrl.errors import UserError
from ros_mbmrl.robots.pendulum import PERIOD, UPRIGHT, Pendulum, physics, wrapped
from ros_mbmrl.robots.task import is_stationary

ROBOT = Pendulum()


def test_it_moves_and_pays_as_gymnasiums() -> None:
    theirs, rng = gymnasium.make("Pendulum-v1").unwrapped, np.random.default_rng(0)
    theirs.reset(seed=0)
    task = ROBOT.make_task(UPRIGHT, np.zeros(2))
    for _ in range(50):
        state, torque = rng.uniform(-1, 1, 2) * (2 * math.pi, 8.0), rng.uniform(-2.5, 2.5, 1)
        theirs.state = state
        seen, reward, *_ = theirs.step(torque)
        states, sent = torch.as_tensor(state)[None], torch.as_tensor(torque)[None].clamp(-2, 2)
        moved = physics(states, sent)
        np.testing.assert_allclose(ROBOT.features(moved)[0], seen, atol=1e-5)
        cost = task.cost(torch.stack([states, moved], 1), sent[:, None], torch.zeros(0))
        assert float(cost) == pytest.approx(-float(reward))


def test_its_derivatives() -> None:
    state = torch.tensor([[0.3, 0.5]], dtype=torch.float64, requires_grad=True)
    torque = torch.tensor([[0.7]], dtype=torch.float64, requires_grad=True)
    by_state, by_torque = torch.autograd.grad(physics(state, torque)[0, 1], (state, torque))
    assert by_torque.item() == pytest.approx(3 * PERIOD)
    assert by_state.tolist()[0] == pytest.approx([15 * PERIOD * math.cos(0.3), 1.0])


def test_a_change_leads_to_the_next_state_the_short_way() -> None:
    state, later = torch.tensor([[3.1, 1.0]]), torch.tensor([[-3.1, 1.5]])
    change = ROBOT.difference(state, later)
    assert change[0].tolist() == pytest.approx([2 * math.pi - 6.2, 0.5], abs=1e-5)
    features = ROBOT.features(ROBOT.advance(state, change))
    torch.testing.assert_close(features, ROBOT.features(later), atol=1e-5, rtol=0)


def test_it_is_measured_as_it_is_and_has_one_task() -> None:
    assert ROBOT.estimate(np.array([1.0, 2.0]), None, PERIOD).tolist() == [1.0, 2.0]
    task = ROBOT.make_task(UPRIGHT, np.zeros(2))
    assert is_stationary(task) and not ROBOT.follows_paths and ROBOT.tasks() == (UPRIGHT,)
    assert task.reference(np.zeros(2)).shape == (0,)
    with pytest.raises(UserError, match="unknown task 'run'"):
        ROBOT.make_task("run", np.zeros(2))
    assert float(wrapped(torch.tensor(math.pi + 0.1))) == pytest.approx(0.1 - math.pi, abs=1e-6)
