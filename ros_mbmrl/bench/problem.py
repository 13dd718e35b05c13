"""Problem of the benches: the hexapod, and networks and data of any size from a seed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Generator, Tensor

from ros_mbmrl.adaptation.base import Window
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.dynamics.normalizer import Normalizer
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.path_following import PathFollowing, make_path
from ros_mbmrl.robots.spec import Array

ROBOT, PATH, SPEED = "hexapod", "figure8", 0.25
CHANGE = 0.01  # standard deviation of an untrained network's predictions, SI units


def check_network(hidden: tuple[int, ...], activation: str) -> None:
    """Raise ValueError for invalid hidden layers."""
    MLP((1, *hidden, 1), activation)


@dataclass(frozen=True)
class Problem:
    """An untrained model of a robot, at rest at the start of its path, `state` (ds,)."""

    model: DynamicsModel
    parameters: Parameters
    state: Array

    def task(self) -> PathFollowing:
        """Return the hexapod's task, not begun."""
        return PathFollowing(self.model.robot, make_path(PATH), SPEED)


def make_problem(
    hidden: tuple[int, ...], activation: str, generator: Generator, name: str = ROBOT
) -> Problem:
    """Return a problem whose network has these hidden layers. name: of the robot."""
    robot = make_robot(name)
    spec = robot.spec
    inputs, outputs = len(spec.features) + len(spec.action), len(spec.changes)
    mlp = MLP((inputs, *hidden, outputs), activation)
    normalizer = Normalizer(
        torch.zeros(inputs),
        torch.ones(inputs),
        torch.zeros(outputs),
        torch.full((outputs,), CHANGE),
    )
    state = np.array([1.0 if q.name.startswith("cos") else 0.0 for q in spec.state])
    return Problem(DynamicsModel(robot, mlp, normalizer), mlp.init(generator), state)


def make_window(problem: Problem, length: int, generator: Generator) -> Window:
    """Return transitions that the prior mispredicts equally, so that any rule improves on it."""
    model, spec = problem.model, problem.model.robot.spec

    def draw(width: int) -> Tensor:
        return torch.randn(length, width, generator=generator)

    features, actions = draw(len(spec.features)), draw(len(spec.action))
    changes = model.predict(problem.parameters, features, actions) + CHANGE
    return Window(features, actions, changes)
