"""Fast roll-outs against plain ones."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.dynamics.normalizer import Normalizer
from ros_mbmrl.networks.activations import ACTIVATIONS
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.robots.spec import Robot


def step_by_step(
    model: DynamicsModel, parameters: Parameters, state: Tensor, actions: Tensor
) -> Tensor:
    """A roll-out in the plainest way."""
    states = [state]
    for step in actions.unbind(1):
        change = model.predict(parameters, model.robot.features(states[-1]), step)
        states.append(model.robot.advance(states[-1], change))
    return torch.stack(states, dim=1)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("hidden", [(), (8,), (8, 5, 6)])
def test_a_fast_rollout_is_a_rollout(
    robot: Robot, activation: str, hidden: tuple[int, ...]
) -> None:
    g = torch.Generator().manual_seed(0)

    def draw(n: int) -> Tensor:
        return 0.5 + torch.rand(n, generator=g)

    mlp = MLP((3, *hidden, 4), activation)
    model = DynamicsModel(robot, mlp, Normalizer(draw(3), draw(3), draw(4), draw(4), clip=1.5))
    parameters = {k: v + 0.1 for k, v in mlp.init(g).items()}
    predict = model.predictor(parameters)
    for rows in (7, 3, 9):  # its buffers shrink and grow
        state, actions = torch.randn(rows, 4, generator=g), torch.randn(rows, 5, 2, generator=g)
        expected = step_by_step(model, parameters, state, actions)
        got = predict(state, actions)
        kept = got.clone()
        predict(state + 1, actions)  # must not write over what was returned
        torch.testing.assert_close(got, expected, atol=1e-5, rtol=1e-5)
        assert torch.equal(got, kept)


def test_bfloat16_is_the_same_model_but_for_rounding(robot: Robot) -> None:
    g = torch.Generator().manual_seed(0)
    mlp, one = MLP((3, 16, 16, 4), "silu"), torch.ones
    model = DynamicsModel(robot, mlp, Normalizer(torch.zeros(3), one(3), 100 * one(4), one(4)))
    parameters = mlp.init(g)
    state, actions = torch.randn(50, 4, generator=g), torch.randn(50, 1, 2, generator=g)
    exact = model.predictor(parameters)(state, actions)
    rounded = replace(model, precision=torch.bfloat16).predictor(parameters)(state, actions)
    assert rounded.dtype is torch.float32
    # Of the network's part alone: a mean a hundred times as large must not take its digits.
    assert 0 < (rounded - exact).norm() / (exact - exact.mean(0)).norm() < 0.02
