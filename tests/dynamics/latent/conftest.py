"""A family of tasks on the plane: where a command leads is another linear map in each task."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Generator

from ros_mbmrl.dynamics.latent.base import Context
from ros_mbmrl.dynamics.normalizer import Normalizer
from ros_mbmrl.robots.point import PointRobot

Family = Callable[[int, int, int], Context]


@pytest.fixture
def robot() -> PointRobot:
    return PointRobot("point_test", 0.1)


@pytest.fixture
def normalizer() -> Normalizer:
    return Normalizer(torch.zeros(4), torch.ones(4), torch.zeros(2), torch.ones(2))


@pytest.fixture
def family() -> Family:
    """Return contexts of N tasks with T transitions each: s' = s + a u, by a number of a task."""

    def made(tasks: int, length: int, seed: int) -> Context:
        g = Generator().manual_seed(seed)
        gain = 2 * torch.rand(tasks, 1, 1, generator=g) - 1
        states = torch.randn(tasks, length, 2, generator=g)
        actions = 2 * torch.rand(tasks, length, 2, generator=g) - 1
        return Context(states, actions, states + gain * actions, torch.ones(tasks, length))

    return made
