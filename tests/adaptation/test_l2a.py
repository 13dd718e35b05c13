"""Gradient steps on contexts, through the interface of contextual models."""

from __future__ import annotations

import pytest
import torch
from torch import Generator

from ros_mbmrl.adaptation.gradient import GradientStep
from ros_mbmrl.adaptation.l2a import L2A
from ros_mbmrl.dynamics.latent.base import Context
from ros_mbmrl.dynamics.normalizer import Normalizer
from ros_mbmrl.errors import UserError
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.robots.point import PointRobot


def made() -> tuple[L2A, Parameters]:
    normalizer = Normalizer(torch.zeros(4), torch.ones(4), torch.zeros(2), torch.ones(2))
    rule = GradientStep(steps=1, step=0.1, bias_step=0.1, meta_trained=True)
    model = L2A(PointRobot("point_l2a", 0.1), MLP((4, 16, 2), "relu"), normalizer, rule)
    return model, model.init(Generator().manual_seed(0))


def context(tasks: int, length: int) -> Context:
    g = Generator().manual_seed(1)
    states, actions = (torch.randn(tasks, length, 2, generator=g) for _ in "sa")
    gain = torch.linspace(-1, 1, tasks)[:, None, None]
    return Context(states, actions, states + gain * actions, torch.ones(tasks, length))


def test_a_step_is_down_the_gradient_of_half_the_squared_error() -> None:
    model, parameters = made()
    seen = context(1, 6)
    live = {
        name: value.clone().requires_grad_()
        for name, value in parameters.items()
        if not name.startswith("psi")
    }
    x = model.normalizer.inputs(seen.states, seen.actions)[0]
    y = (seen.following - seen.states)[0]
    assert bool(((model.mlp.forward(live, x) - y).abs() < 3.0).all())  # below Huber's corner
    loss = 0.5 * (model.mlp.forward(live, x) - y).square().mean()
    slopes = torch.autograd.grad(loss, list(live.values()))
    moved = {
        name: value - 0.1 * slope for (name, value), slope in zip(live.items(), slopes, strict=True)
    }
    found = model.condition(parameters, seen).predict(seen.states, seen.actions)
    torch.testing.assert_close(found.mean[0], model.mlp.forward(moved, x), rtol=1e-4, atol=1e-4)
    assert found.variance is None


def test_all_particles_are_the_adapted_model() -> None:
    model, parameters = made()
    seen = context(3, 6)
    known = model.condition(parameters, seen)
    step = known.sampled(Generator().manual_seed(0), 6)
    assert known.code is None and step.latent is None and model.size == 0
    mean = known.predict(seen.states, seen.actions, Generator().manual_seed(1), 5).mean
    torch.testing.assert_close(step(seen.states, seen.actions), seen.states + mean)


def test_an_empty_context_is_refused() -> None:
    model, parameters = made()
    with pytest.raises(UserError, match="empty context"):
        model.condition(parameters, context(2, 0))
