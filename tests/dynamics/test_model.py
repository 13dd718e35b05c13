"""Roll-outs of a model."""

from __future__ import annotations

import torch

from ros_mbmrl.dynamics.mlp import MLP, LayerUpdate, Parameters, Update
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.dynamics.normalizer import Normalizer
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
