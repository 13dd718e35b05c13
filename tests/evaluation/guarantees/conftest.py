"""A model of a point that is exact: the state moves by .1 s times the command."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.dynamics.normalizer import Normalizer
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.robots.point import PERIOD, PointRobot

Linear = tuple[DynamicsModel, Parameters]


@pytest.fixture
def exact() -> Linear:
    robot = PointRobot("point_centre", 0.1, centred=True)
    normalizer = Normalizer(torch.zeros(4), torch.ones(4), torch.zeros(2), torch.ones(2))
    weights = torch.cat([torch.zeros(2, 2), PERIOD * torch.eye(2)])
    return DynamicsModel(robot, MLP((4, 2)), normalizer), {"w0": weights, "b0": torch.zeros(2)}


@pytest.fixture
def rollouts() -> list[Rollout]:
    rng, found = np.random.default_rng(0), []
    for _ in range(4):
        actions = rng.uniform(-1, 1, (30, 2)).astype(np.float32)
        start = rng.uniform(-2, 2, (1, 2))
        states = np.concatenate([start, start + PERIOD * actions.cumsum(axis=0)])
        marks = np.zeros(30, dtype=np.uint8)
        times = PERIOD * np.arange(31)
        found.append(Rollout("point_centre", states.astype(np.float32), actions, times, marks))
    return found
