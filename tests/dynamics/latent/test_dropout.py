"""A network with dropout: its mean, its particles, and masks that stay."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Generator

from ros_mbmrl.dynamics.latent.base import Context
from ros_mbmrl.dynamics.latent.dropout import DropoutModel
from ros_mbmrl.dynamics.normalizer import Normalizer
from ros_mbmrl.errors import UserError
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.robots.point import PointRobot

Family = Callable[[int, int, int], Context]


@pytest.fixture
def model(robot: PointRobot, normalizer: Normalizer) -> DropoutModel:
    return DropoutModel(robot, MLP((4, 16, 16, 2), "relu"), normalizer, rate=0.25)


@pytest.fixture
def parameters(model: DropoutModel) -> Parameters:
    return model.init(Generator().manual_seed(0))


def test_units_are_kept_with_their_probability_and_scaled(model: DropoutModel) -> None:
    first, second = model.masks((2000,), Generator().manual_seed(0))
    assert first.shape == second.shape == (2000, 16)
    assert set(first.unique().tolist()) == {0.0, 1 / 0.75} or first.unique().numel() == 2
    assert float(first.mean()) == pytest.approx(1.0, abs=0.02)


def test_without_chance_it_is_the_plain_network(
    model: DropoutModel, parameters: Parameters, family: Family
) -> None:
    rows = family(2, 5, 1)
    known = model.condition(parameters, family(2, 3, 0))
    assert known.code is None and model.size == 0
    mean = known.predict(rows.states, rows.actions).mean
    x = model.normalizer.inputs(rows.states, rows.actions)
    torch.testing.assert_close(mean, model.mlp.forward(parameters, x))
    other = model.condition(parameters, family(2, 3, 7)).predict(rows.states, rows.actions)
    assert torch.equal(other.mean, mean)  # it looks at no context
    several = known.predict(rows.states, rows.actions, Generator().manual_seed(1), 100)
    assert several.disagreement is not None and (several.disagreement > 0).any()


def test_a_particle_keeps_its_masks(
    model: DropoutModel, parameters: Parameters, family: Family
) -> None:
    step = model.condition(parameters, family(2, 3, 0)).sampled(Generator().manual_seed(1), 5)
    g = Generator().manual_seed(2)
    states, actions = torch.randn(2, 1, 2, generator=g), torch.randn(2, 1, 2, generator=g)
    states, actions = states.expand(2, 5, 2), actions.expand(2, 5, 2)
    found = step(states, actions)
    assert step.latent is None
    assert torch.equal(found, step(states, actions))
    assert not torch.allclose(found[:, 0], found[:, 1])


@pytest.mark.parametrize("rate", [0.0, 1.0, -0.1])
def test_a_rate_that_is_none_is_refused(model: DropoutModel, rate: float) -> None:
    with pytest.raises(ValueError, match=r"rate: expected a number in \(0, 1\)"):
        DropoutModel(model.robot, model.mlp, model.normalizer, rate)


def test_bad_input_is_refused(model: DropoutModel, parameters: Parameters, family: Family) -> None:
    with pytest.raises(UserError, match="empty context"):
        model.condition(parameters, family(1, 0, 0))
    known = model.condition(parameters, family(1, 3, 0))
    with pytest.raises(UserError, match="particles: expected at most"):
        known.sampled(Generator().manual_seed(0), 10**12)
