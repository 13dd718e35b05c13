"""Random shooting in the models of several robots."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import pytest
import torch
from torch import Generator, Tensor

from ros_mbmrl.agents.base import Context
from ros_mbmrl.agents.shooting import ShootingAgent, ShootingConfig, rolled
from ros_mbmrl.dynamics.latent.base import Conditioned
from ros_mbmrl.robots.pendulum import Pendulum, Upright


@dataclass(frozen=True)
class Turning:
    """Pendulums whose angle a torque turns by `gain` radians, and nothing else moves."""

    gain: Tensor  # (N, 1, 1)
    code: None = None
    latent: None = None

    def sampled(self, generator: Generator, particles: int) -> Turning:
        return self

    def __call__(self, states: Tensor, actions: Tensor) -> Tensor:
        return states + torch.cat([self.gain * actions, 0 * actions], dim=-1)


MODELS = cast(Conditioned, Turning(torch.tensor([0.5, -0.5])[:, None, None]))


def test_each_robot_is_planned_for_in_its_own_model() -> None:
    agent = ShootingAgent(MODELS, ShootingConfig(candidates=300, horizon=2))
    robot = Pendulum()
    agent.begin(Context(robot, [0, 1], [Upright(), Upright()], np.zeros((2, 0))))
    action = agent.act(np.array([[1.0, 0.0], [1.0, 0.0]]), 0.0)
    assert action.failed is not None and not action.failed.any()
    assert action.commands[0, 0] < -1.0 and action.commands[1, 0] > 1.0
    agent.acted(action.commands)


def test_a_roll_out_begins_where_the_robot_is() -> None:
    actions = torch.ones(2, 3, 4, 1)
    visited = rolled(MODELS, Generator())(torch.zeros(2, 2), actions)
    assert visited.shape == (2, 3, 5, 2)
    assert visited[:, 0, :, 0].tolist() == [[0, 0.5, 1, 1.5, 2], [0, -0.5, -1, -1.5, -2]]


def test_plans_of_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="candidates, horizon"):
        ShootingConfig(candidates=0)
