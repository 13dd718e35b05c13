"""Predictions, roll-outs of plans and of policies, and their gradients."""

from __future__ import annotations

import torch
from torch import Tensor

from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.dynamics.normalizer import Normalizer
from ros_mbmrl.dynamics.world_model import AdaptedModel, WorldModel
from ros_mbmrl.networks.mlp import MLP
from ros_mbmrl.networks.updates import LayerUpdate, Update
from ros_mbmrl.robots.spec import Robot


def linear(robot: Robot, update: Update | None = None) -> AdaptedModel:
    """forward = .1 speed, yaw = turn, speed += drive; no network in between."""
    weights = torch.tensor([[0.1, 0, 0, 0], [0, 0, 0, 1.0], [0, 0, 1.0, 0]])
    one = torch.ones
    normalizer = Normalizer(torch.zeros(3), one(3), torch.zeros(4), one(4), clip=100.0)
    model = DynamicsModel(robot, MLP((3, 4)), normalizer)
    prior = {"w0": weights, "b0": torch.zeros(4)}
    return AdaptedModel(model, prior, update or model.mlp.no_update)


START = torch.tensor([[0.0, 0.0, 0.0, 1.0]])


def test_a_prediction_by_hand(robot: Robot) -> None:
    model: WorldModel = linear(robot)
    mean, variance = model.predict(START, torch.tensor([[0.5, 0.2]]))
    torch.testing.assert_close(mean, torch.tensor([[0.1, 0.0, 0.2, 0.5]]))
    assert variance is None  # it was trained with a fixed one


def test_each_task_has_its_own_update(robot: Robot) -> None:
    biases = torch.tensor([[[0.0, 0.0, 0.0, 0.0]], [[1.0, 0.0, 0.0, 0.0]]])
    model = linear(robot, Update((LayerUpdate(None, None, biases),)))
    mean, _ = model.predict(START.repeat(2, 1), torch.zeros(2, 2))
    torch.testing.assert_close(mean[:, 0], torch.tensor([0.1, 1.1]))
    states = model.imagine(START.repeat(2, 1), torch.zeros(2, 3, 2))
    torch.testing.assert_close(states[:, -1, 0], torch.tensor([0.3, 3.3]))


def test_a_policy_is_rolled_out_as_the_plan_that_it_chooses(robot: Robot) -> None:
    model = linear(robot)

    def choose(states: Tensor, step: int) -> Tensor:
        """Turns by the speed, drives by the step."""
        return torch.stack([torch.full_like(states[:, 3], float(step)), states[:, 3]], dim=-1)

    states, actions = model.follow(START, choose, 3)
    torch.testing.assert_close(actions[0, :, 0], torch.tensor([0.0, 1.0, 2.0]))
    torch.testing.assert_close(actions[0, :, 1], torch.tensor([1.0, 1.0, 2.0]))
    torch.testing.assert_close(states, model.imagine(START, actions), rtol=0, atol=0)


def test_gradients_go_through_plans_and_policies(robot: Robot) -> None:
    model = linear(robot)
    plan = torch.zeros(1, 3, 2, requires_grad=True)
    (slope,) = torch.autograd.grad(model.imagine(START, plan)[0, -1, 0], plan)
    # x_3 = .1 (3 v + 2 d_0 + d_1), straight on.
    torch.testing.assert_close(slope[0, :, 0], torch.tensor([0.2, 0.1, 0.0]))

    gain = torch.tensor(0.5, requires_grad=True)

    def choose(states: Tensor, step: int) -> Tensor:
        return torch.stack([gain * states[:, 3], torch.zeros(len(states))], dim=-1)

    states, _ = model.follow(START, choose, 2)
    (slope,) = torch.autograd.grad(states[0, -1, 3], gain)
    torch.testing.assert_close(slope, 2 * (1 + gain.detach()))  # v_2 = (1 + gain)^2
