"""Lipschitz constants of linear maps are their norms."""

from __future__ import annotations

import pytest
import torch

from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.dynamics.world_model import AdaptedModel
from ros_mbmrl.evaluation.guarantees.smoothness import Scaled, constants, jacobian
from ros_mbmrl.networks.mlp import Parameters


def test_the_derivatives_of_a_linear_map() -> None:
    matrix = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    found, none = jacobian(lambda x, y: x @ matrix.T, torch.ones(4, 2), torch.ones(4, 1))
    assert (found == matrix).all() and (none == 0).all() and none.shape == (4, 3, 1)


def test_a_point_that_steers_to_the_centre(exact: tuple[DynamicsModel, Parameters]) -> None:
    """s' = s + .1 a with a = -.5 s: the loop shrinks by .95, the model alone does not."""
    model, parameters = exact
    scaled = Scaled(
        AdaptedModel(model, parameters, model.mlp.no_update),
        act=lambda seen: -0.5 * seen,
        command=lambda actions: actions,
        reward=lambda states, commands, after: 3.0 * after[:, 0],
        scale=torch.tensor([2.0, 2.0]),
    )
    found = constants(scaled, torch.randn(8, 2))
    assert found.model == pytest.approx(1.0)  # of the state itself
    assert found.policy == pytest.approx(1 + 0.5 * 2.0)  # a state's unit is 2 m
    assert found.loop == pytest.approx(0.95)
    assert found.reward == pytest.approx(6.0)
