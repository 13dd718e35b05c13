"""Models with a latent variable: predictions, particles that keep their z, and gradients."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Generator

from ros_mbmrl.dynamics.latent.base import Context
from ros_mbmrl.dynamics.latent.encoders import Encoder
from ros_mbmrl.dynamics.latent.gssm import GSSM
from ros_mbmrl.dynamics.latent.mlsm import MLSM0, MLSM1
from ros_mbmrl.dynamics.latent.model import LatentModel
from ros_mbmrl.dynamics.normalizer import Normalizer
from ros_mbmrl.errors import UserError
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.robots.point import PointRobot

Family = Callable[[int, int, int], Context]
each = pytest.mark.parametrize("encoder", [GSSM(4, 8), MLSM0(4, 8), MLSM1(4, 8)])


@pytest.fixture
def model(robot: PointRobot, normalizer: Normalizer, encoder: Encoder) -> LatentModel:
    return LatentModel(robot, encoder, MLP((4, 16, 2), "relu"), normalizer)


@pytest.fixture
def parameters(model: LatentModel) -> Parameters:
    return model.init(Generator().manual_seed(0))


@each
def test_particles_vary_about_the_mean_by_chance_that_is_passed_in(
    model: LatentModel, parameters: Parameters, family: Family
) -> None:
    context, rows = family(3, 6, 0), family(3, 5, 1)
    known = model.condition(parameters, context)
    assert known.code.mean.shape == (3, model.size)
    mean = known.predict(rows.states, rows.actions)
    assert mean.disagreement is not None and not mean.disagreement.any()
    several, again = (
        known.predict(rows.states, rows.actions, Generator().manual_seed(2), 4000) for _ in "12"
    )
    assert torch.equal(several.mean, again.mean)
    assert several.disagreement is not None and several.variance is not None
    assert (several.disagreement > 0).all()
    assert (several.variance > several.disagreement).all()
    few = known.predict(rows.states, rows.actions, Generator().manual_seed(3), 4000)
    torch.testing.assert_close(several.mean, few.mean, atol=0.05, rtol=0.0)


@each
def test_a_particle_keeps_its_latent_variable(
    model: LatentModel, parameters: Parameters, family: Family
) -> None:
    known = model.condition(parameters, family(3, 6, 0))
    step = known.sampled(Generator().manual_seed(1), 7)
    g = Generator().manual_seed(2)
    states, actions = torch.randn(3, 7, 2, generator=g), torch.randn(3, 7, 2, generator=g)
    first, second = step(states, actions), step(states, actions)
    assert torch.equal(first, second) and first.shape == (3, 7, 2)
    assert step.latent.shape == (3, 7, model.size)
    torch.testing.assert_close(
        (step.latent - known.code.mean[:, None]) / known.code.deviation[:, None], step.noise
    )
    still = replace(step, noise=torch.zeros_like(step.noise))
    mean = known.predict(states, actions).mean
    torch.testing.assert_close(still(states, actions), states + mean)


@each
def test_a_context_shifts_what_its_own_task_is_predicted_alone(
    model: LatentModel, parameters: Parameters, family: Family
) -> None:
    context, rows = family(2, 6, 0), family(2, 5, 1)
    before = model.condition(parameters, context).predict(rows.states, rows.actions).mean
    other = context._replace(following=context.following.clone())
    other.following[1] += 2.0
    after = model.condition(parameters, other).predict(rows.states, rows.actions).mean
    torch.testing.assert_close(after[0], before[0])
    assert not torch.allclose(after[1], before[1])


@each
def test_gradients_go_through_the_steps_and_the_encoder(
    model: LatentModel, parameters: Parameters, family: Family
) -> None:
    live = {name: value.clone().requires_grad_() for name, value in parameters.items()}
    step = model.condition(live, family(2, 6, 0)).sampled(Generator().manual_seed(1), 3)
    actions = torch.zeros(2, 3, 2, requires_grad=True)
    state = torch.zeros(2, 3, 2)
    for _ in range(3):
        state = step(state, actions)
    torch.autograd.backward(state.square().sum())
    assert actions.grad is not None and actions.grad.abs().sum() > 0
    encoder = live["encoder.w0"].grad
    assert encoder is not None and encoder.abs().sum() > 0


@each
def test_bad_input_is_refused(model: LatentModel, parameters: Parameters, family: Family) -> None:
    with pytest.raises(UserError, match="empty context"):
        model.condition(parameters, family(2, 0, 0))
    known, rows = model.condition(parameters, family(2, 4, 0)), family(2, 5, 1)
    with pytest.raises(UserError, match="particles: expected at most"):
        known.predict(rows.states, rows.actions, Generator().manual_seed(0), 10**12)
    with pytest.raises(UserError, match="particles: expected at most"):
        known.sampled(Generator().manual_seed(0), 10**12)
