"""Episodes in models of tasks: the gradient of a known linear model, and what z is worth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import pytest
import torch
from torch import Generator, Tensor

from ros_mbmrl.dynamics.latent.base import Code, Conditioned
from ros_mbmrl.learning.policies.steps import STEPS, StepConfig
from ros_mbmrl.learning.policies.task_models import TaskModels
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.policies.gaussian import GaussianPolicy, for_tasks
from ros_mbmrl.policies.sampling import Tasks


@dataclass(frozen=True)
class Pushed:
    """Sliders whose position a force moves by `gain` metres, known to the policy as z = gain."""

    gain: Tensor  # (N, 1, 1)
    particles: int = 1

    @property
    def code(self) -> Code:
        return Code(self.gain[:, 0], torch.zeros_like(self.gain[:, 0]))

    def sampled(self, generator: Generator, particles: int) -> Pushed:
        return Pushed(self.gain, particles)

    @property
    def latent(self) -> Tensor:
        return self.gain.expand(-1, self.particles, 1)

    def __call__(self, states: Tensor, actions: Tensor) -> Tensor:
        moved = states[..., :1] + self.gain * actions
        return torch.cat([moved, states[..., 1:]], dim=-1)


def pushed(*gains: float) -> Conditioned:
    return cast(Conditioned, Pushed(torch.tensor(gains)[:, None, None]))


def reward(states: Tensor, commands: Tensor, after: Tensor) -> Tensor:
    return -(after[:, 0] - 1.0).square()


def places(tasks: Tasks, horizon: int) -> TaskModels:
    return TaskModels(tasks.robot, reward, None, torch.zeros(1, 2), horizon, noisy=False)


def linear(inputs: int) -> GaussianPolicy:
    return GaussianPolicy(MLP((inputs, 1)), torch.zeros(inputs), torch.ones(inputs))


def test_the_gradient_through_time_is_the_analytic_one(sliders: Tasks) -> None:
    """a = w x + b, x' = x + g a, from 0: x1 = g b, x2 = (1 + g w) g b + g b."""
    w, b, g = 0.3, 0.4, 0.5
    parameters: Parameters = {
        "w0": torch.tensor([[w], [0.0]], requires_grad=True),
        "b0": torch.tensor([b], requires_grad=True),
        "log_std": torch.zeros(1),
    }
    generator = Generator().manual_seed(0)
    imagine = places(sliders, 2).imagine(linear(2), pushed(g), 1, 3, generator)
    total = imagine(for_tasks(parameters, 1)).rewards.sum(-1).mean()
    by_w, by_b = torch.autograd.grad(total, [parameters["w0"], parameters["b0"]])
    x1, x2 = g * b, (1 + g * w) * g * b + g * b
    assert float(total.detach()) == pytest.approx(-((x1 - 1) ** 2) - (x2 - 1) ** 2)
    expected = -2 * (x1 - 1) * g - 2 * (x2 - 1) * ((1 + g * w) * g + g)
    assert float(by_b[0]) == pytest.approx(expected, rel=1e-5)
    assert float(by_w[0, 0]) == pytest.approx(-2 * (x2 - 1) * g * x1, rel=1e-5)


def test_a_policy_that_sees_z_beats_one_that_does_not(sliders: Tasks) -> None:
    """The sign of the force's effect differs between two tasks; no observation tells it."""
    found, both = {}, pushed(1.0, -1.0)
    for amortised in (True, False):
        generator = Generator().manual_seed(1)
        policy = linear(3 if amortised else 2)
        step = STEPS["bptt"](policy, StepConfig(learning_rate=0.05), generator)
        imagine = places(sliders, 1).imagine(policy, both, 2, 4, generator, amortised)
        parameters = policy.init(generator)
        for _ in range(60):
            parameters = step.update(parameters, imagine)
        found[amortised] = float(imagine(for_tasks(parameters, 1)).returns.mean())
    assert found[True] > -0.02
    assert found[False] == pytest.approx(-1.0, abs=0.05)  # the best that one action can do


def test_rows_of_a_task_stay_together(sliders: Tasks) -> None:
    imagine = places(sliders, 1).imagine(linear(2), pushed(1.0, -1.0), 2, 3, Generator())
    parameters = {"w0": torch.zeros(2, 1), "b0": torch.full((1,), 0.5), "log_std": torch.zeros(1)}
    with torch.no_grad():
        seen = imagine(for_tasks(parameters, 1)).rewards.flatten()
    assert seen.tolist() == pytest.approx([-0.25] * 3 + [-2.25] * 3)
