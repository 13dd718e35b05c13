"""One imagined control period: models' means and samples, rewards and ends."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from ros_mbmrl.dynamics.imagination import Imagination
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.dynamics.normalizer import Normalizer
from ros_mbmrl.networks.ensemble import Ensemble
from ros_mbmrl.policies.imagined_world import ImaginedWorld
from tests.learning.policies.conftest import Slider

COUNT = 4000


def world(deviations: tuple[float, float], drift: tuple[float, float]) -> ImaginedWorld:
    """Two members: x changes by their drift, with their deviations; v by the force, exactly."""
    normalizer = Normalizer(torch.zeros(3), torch.ones(3), torch.zeros(2), torch.ones(2))
    model = DynamicsModel(Slider(), Ensemble((3, 4, 2), "silu", 2, "gaussian"), normalizer)
    parameters = model.mlp.init(Generator().manual_seed(0))
    for k in range(2):
        for name in ("w0", "b0", "w1", "b1"):
            parameters[f"member.{k}.{name}"] = torch.zeros_like(parameters[f"member.{k}.{name}"])
        parameters[f"member.{k}.w0"][2, :2] = torch.tensor([1.0, -1.0])  # silu(x) - silu(-x) = x
        parameters[f"member.{k}.w1"][:2, 1] = torch.tensor([1.0, -1.0])
        parameters[f"member.{k}.b1"][0] = drift[k]
        (name,) = (n for n in parameters if n.startswith(f"member.{k}.") and n.endswith("e.b"))
        logs = 2 * torch.tensor([deviations[k], 1e-4]).log()
        parameters[name] = logs
        for bound, value in (("low", -20.0), ("high", 20.0)):
            parameters[name.removesuffix("b") + bound] = torch.full((2,), value)
    imagination = Imagination.of(model, parameters, sampled=True)
    return ImaginedWorld(imagination, lambda states, commands, after: -(after[:, 0] ** 2), over)


def over(states: Tensor) -> Tensor:
    return states[:, 0] > 1.0


def test_the_variance_of_the_rows_member_is_sampled() -> None:
    own, members = world((0.5, 0.1), (0.0, 2.0)), torch.arange(COUNT) % 2
    states, actions = torch.zeros(COUNT, 2), torch.full((COUNT, 1), 0.5)
    found = own.step(states, actions, Generator().manual_seed(0), members)
    first, second = found.states[members == 0, 0], found.states[members == 1, 0]
    assert abs(float(first.mean())) < 0.03 and abs(float(first.std()) - 0.5) < 0.03
    assert abs(float(second.mean()) - 2.0) < 0.01 and abs(float(second.std()) - 0.1) < 0.01
    assert torch.allclose(found.states[:, 1], torch.tensor(0.5), atol=1e-3)
    assert torch.equal(found.rewards, -found.states[:, 0].square())
    assert torch.equal(found.terminated, (found.states[:, 0] > 1.0).float())
    # Drawn by the scheme, both members move as many rows.
    drawn = own.step(states, actions, Generator().manual_seed(0))
    assert abs(float((drawn.states[:, 0] > 1.5).float().mean()) - 0.5) < 0.01


def test_the_gradient_runs_through_the_sample() -> None:
    own = world((0.5, 0.1), (0.0, 2.0))
    actions = torch.full((6, 1), 0.5, requires_grad=True)
    found = own.step(torch.zeros(6, 2), actions, Generator().manual_seed(0))
    (slope,) = torch.autograd.grad(found.states[:, 1].sum(), actions)
    assert torch.allclose(slope, torch.ones(6, 1))


def test_a_row_that_is_not_finite_stays() -> None:
    own = world((0.5, 0.1), (0.0, float("inf")))
    states = torch.full((4, 2), 0.25)
    found = own.step(states, torch.zeros(4, 1), Generator().manual_seed(0), torch.ones(4).long())
    assert torch.equal(found.states, states)
