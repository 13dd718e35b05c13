"""Roll-outs of a model."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.dynamics.normalizer import Normalizer
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.networks.updates import LayerUpdate, Update
from ros_mbmrl.robots.spec import Robot

Prior = tuple[DynamicsModel, Parameters]


def linear_model(robot: Robot) -> tuple[DynamicsModel, Parameters]:
    """forward = .1 speed, yaw = turn, speed += drive; no network in between."""
    weights = torch.tensor([[0.1, 0, 0, 0], [0, 0, 0, 1.0], [0, 0, 1.0, 0]])
    one = torch.ones
    normalizer = Normalizer(torch.zeros(3), one(3), torch.zeros(4), one(4), clip=100.0)
    return DynamicsModel(robot, MLP((3, 4)), normalizer), {"w0": weights, "b0": torch.zeros(4)}


def test_a_rollout_by_hand(robot: Robot) -> None:
    model, parameters = linear_model(robot)
    start = torch.tensor([[0.0, 0.0, 0.0, 1.0]])
    actions = torch.tensor([[[1.0, torch.pi / 2], [0.0, 0.0]]])
    states = model.predictor(parameters)(start, actions)
    expected = [[0, 0, 0, 1.0], [0.1, 0, torch.pi / 2, 2.0], [0.1, 0.2, torch.pi / 2, 2.0]]
    torch.testing.assert_close(states, torch.tensor([expected]))


def test_rollout_updated_equals_rollouts_of_materialised_parameters(prior: Prior) -> None:
    model, parameters = prior
    g = torch.Generator().manual_seed(0)
    update = Update(
        tuple(
            LayerUpdate(
                torch.randn(3, 2, i, generator=g),
                torch.randn(3, 2, o, generator=g),
                torch.randn(3, 1, o, generator=g),
            )
            for i, o in zip(model.mlp.sizes[:-1], model.mlp.sizes[1:], strict=True)
        )
    )
    state, actions = torch.randn(3, 4, generator=g), torch.rand(3, 5, 2, generator=g)
    together = model.rollout_updated(parameters, update, state, actions)
    for n in range(3):
        own = model.mlp.materialise(parameters, update.tasks(slice(n, n + 1)))
        alone = model.predictor(own)(state[n : n + 1], actions[n : n + 1])
        torch.testing.assert_close(together[n : n + 1], alone, atol=1e-4, rtol=1e-4)


def an_update(model: DynamicsModel, tasks: int, shared_left: bool = False) -> Update:
    """Of every layer but the first, whose weights stay."""
    g = torch.Generator().manual_seed(1)
    layers = [LayerUpdate(bias=torch.randn(tasks, 1, model.mlp.sizes[1], generator=g))]
    for inputs, outputs in zip(model.mlp.sizes[1:-1], model.mlp.sizes[2:], strict=True):
        left = torch.randn(1 if shared_left else tasks, 2, inputs, generator=g)
        right = torch.randn(tasks, 2, outputs, generator=g)
        layers.append(LayerUpdate(0.3 * left, 0.3 * right))
    layers[-1] = replace(layers[-1], bias=torch.randn(tasks, 1, outputs, generator=g))
    return Update(tuple(layers))


@pytest.mark.parametrize("shared_left", [False, True])
@pytest.mark.parametrize("candidates", [1, 6])
def test_candidates_of_many_tasks_roll_out_each_under_its_own_model(
    prior: Prior, candidates: int, shared_left: bool
) -> None:
    model, parameters = prior
    g = torch.Generator().manual_seed(0)
    state = torch.randn(3, 4, generator=g)
    actions = torch.rand(3, candidates, 5, 2, generator=g)
    for update in (an_update(model, 3, shared_left), model.mlp.no_update):
        together = model.predictor_each(parameters, update)(state, actions)
        assert together.shape == (3, candidates, 6, 4)
        for n in range(3):
            own = model.mlp.materialise(parameters, update.tasks(slice(n, n + 1)))
            alone = model.predictor(own)(state[n].expand(candidates, -1), actions[n])
            torch.testing.assert_close(together[n], alone, atol=1e-5, rtol=1e-5)


def test_in_bfloat16_they_are_the_same_but_for_rounding(prior: Prior) -> None:
    model, parameters = prior
    g = torch.Generator().manual_seed(0)
    state, actions = torch.randn(3, 4, generator=g), torch.rand(3, 6, 2, 2, generator=g)
    update = an_update(model, 3)
    exact = model.predictor_each(parameters, update)(state, actions)
    half = replace(model, precision=torch.bfloat16)
    rounded = half.predictor_each(parameters, update)(state, actions)
    assert rounded.dtype is torch.float32
    moved = exact - exact[:, :, :1]
    assert 0 < (rounded - exact).norm() / moved.norm() < 0.02


def test_rollouts_stay_on_their_device(prior: Prior) -> None:
    model, parameters = prior
    there = torch.device("meta")
    model = model.to(there)
    parameters = {name: value.to(there) for name, value in parameters.items()}
    state, actions = torch.empty(3, 4, device=there), torch.empty(3, 6, 5, 2, device=there)
    states = model.predictor_each(parameters, model.mlp.no_update)(state, actions)
    assert states.device == there and states.shape == (3, 6, 6, 4)
