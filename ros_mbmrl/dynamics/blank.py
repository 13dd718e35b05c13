"""The model of a robot before anything was learned: it says that no state ever changes."""

from __future__ import annotations

import torch

from ros_mbmrl.dynamics.files import LoadedModel
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.dynamics.normalizer import Normalizer
from ros_mbmrl.networks.mlp import MLP
from ros_mbmrl.robots.spec import Robot

WINDOW = 16  # transitions, T1; the first learned model has its own


def blank_model(robot: Robot) -> LoadedModel:
    """Return a model with zero weights and no normalisation, which is not adapted.

    Its error is in SI units, and says nothing: a control loop can carry it until there is a model
    to plan with.
    """
    inputs, changes = len(robot.spec.features) + len(robot.spec.action), len(robot.spec.changes)
    normalizer = Normalizer(
        torch.zeros(inputs), torch.ones(inputs), torch.zeros(changes), torch.ones(changes)
    )
    parameters = {"w0": torch.zeros(inputs, changes), "b0": torch.zeros(changes)}
    card = {"method": "mb", "adapt_window": WINDOW}
    return LoadedModel(DynamicsModel(robot, MLP((inputs, changes)), normalizer), parameters, card)
