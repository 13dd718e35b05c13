"""A meta-model as a world: the imagined transition enters the history."""

from __future__ import annotations

import torch
from torch import Generator

from ros_mbmrl.dynamics.meta_model import MetaModel
from ros_mbmrl.dynamics.normalizer import Normalizer
from ros_mbmrl.networks.ensemble import Ensemble
from ros_mbmrl.networks.history import Encoder, Histories
from ros_mbmrl.policies.meta_world import MetaWorld
from ros_mbmrl.robots import make_robot

ROBOT = make_robot("half_cheetah")
FEATURES, ACTIONS, CHANGES = (
    len(each) for each in (ROBOT.spec.features, ROBOT.spec.action, ROBOT.spec.changes)
)
LAYOUT = Histories(len(ROBOT.observed), ACTIONS, 3, rewards=True)


def test_a_step_moves_state_and_history() -> None:
    network = Ensemble((FEATURES + ACTIONS + 5, 8, CHANGES + 1), "silu", 2, "gaussian")
    inputs, outputs = FEATURES + ACTIONS, CHANGES + 1
    scales = [torch.zeros(inputs), torch.ones(inputs), torch.zeros(outputs), torch.ones(outputs)]
    past = torch.zeros(LAYOUT.width), torch.ones(LAYOUT.width)
    encoder = Encoder(LAYOUT.width, 5)
    model = MetaModel(ROBOT, LAYOUT, network, encoder, Normalizer(*scales), *past)
    generator = Generator().manual_seed(0)
    world = MetaWorld(model, model.init(generator), lambda states: states[:, 1] > 0)
    states = torch.randn(6, len(ROBOT.spec.state), generator=generator)
    rows = torch.cat([states, LAYOUT.begun(ROBOT.observation(states))], dim=1)
    actions = torch.rand(6, ACTIONS, generator=generator)
    step = world.step(rows, actions, generator)
    size = len(ROBOT.spec.state)
    following, seen = step.states[:, :size], step.states[:, size:]
    now, told, valid = LAYOUT.parts(seen)
    torch.testing.assert_close(now, ROBOT.observation(following))
    assert valid.tolist() == [[0.0, 0.0, 1.0]] * 6
    torch.testing.assert_close(told[:, 2, -1], step.rewards)
    torch.testing.assert_close(told[:, 2, LAYOUT.observations : -1], actions)
    torch.testing.assert_close(told[:, 2, : LAYOUT.observations], ROBOT.observation(states))
    assert torch.equal(step.terminated, (following[:, 1] > 0).float())
