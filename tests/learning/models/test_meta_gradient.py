"""The gradient by hand: autograd's, and that of finite differences."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Generator, Tensor

import ros_mbmrl.learning.models.objective as objective
from ros_mbmrl.adaptation.base import Support
from ros_mbmrl.adaptation.gradient import GradientStep, grbal
from ros_mbmrl.learning.models.meta_gradient import MetaGradient
from ros_mbmrl.learning.models.objective import ByAutograd, meta_loss
from ros_mbmrl.networks.mlp import MLP, Parameters

TASKS, PAST, FUTURE = 5, 7, 4


def problem(
    activation: str, rule: GradientStep, dtype: torch.dtype = torch.float64
) -> tuple[MLP, Parameters, Support, Support]:
    """Windows of all lengths, one of them empty, and errors on either side of Huber's corner."""
    generator = Generator().manual_seed(3)
    mlp = MLP((3, 9, 8, 2), activation)
    parameters = mlp.init(generator)
    parameters |= rule.init(mlp, parameters, generator)
    parameters = {
        name: (value + 0.2 * torch.randn(value.shape, generator=generator)).to(dtype)
        for name, value in parameters.items()
    }

    def segment(length: int, spread: float) -> Support:
        x, y = (torch.randn(TASKS, length, n, generator=generator).to(dtype) for n in (3, 2))
        kept = torch.arange(length) >= torch.arange(TASKS)[:, None] * length // (TASKS - 1)
        return Support(x, spread * y, kept[..., None].to(dtype), torch.tensor([1.5, 0.5]).to(dtype))

    return mlp, parameters, segment(PAST, 3.0), segment(FUTURE, 1.0)


def by_autograd(
    mlp: MLP, rule: GradientStep, parameters: Parameters, past: Support, future: Support
) -> tuple[Tensor, Parameters]:
    live = {name: value.clone().requires_grad_() for name, value in parameters.items()}
    take = ByAutograd(mlp, lambda *given: meta_loss(mlp, rule, *given))
    return take(live, past, future)


@pytest.mark.parametrize("activation", ["silu", "tanh"])
@pytest.mark.parametrize("steps", [1, 2, 3])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("units", [1, 2 * 9 * PAST, 10_000])  # one task, two, all at once
def test_it_is_autograds(
    activation: str, steps: int, dtype: torch.dtype, units: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(objective, "UNITS", units)
    rule = grbal(steps, step=0.2, bias_step=0.3, limit=1.0)
    given = problem(activation, rule, dtype)
    loss, gradients = MetaGradient(given[0], rule)(*given[1:])
    # In float32 autograd itself is off by 5e-6, differently on every processor.
    exact = problem(activation, rule, torch.float64)
    expected, theirs = by_autograd(exact[0], rule, *exact[1:])
    close = 1e-5 if dtype is torch.float32 else 1e-12
    assert float(loss) == pytest.approx(float(expected), rel=close)
    assert gradients.keys() == theirs.keys()
    for name, value in theirs.items():
        assert value.any(), name
        assert float((gradients[name] - value).norm()) < close * float(value.norm()), name


@pytest.mark.parametrize("activation", ["silu", "tanh"])
@pytest.mark.parametrize("steps", [1, 2])
def test_it_is_what_finite_differences_say(activation: str, steps: int) -> None:
    rule = grbal(steps, step=0.2, bias_step=0.3, limit=1.0)
    mlp, parameters, past, future = problem(activation, rule)
    _, gradients = MetaGradient(mlp, rule)(parameters, past, future)
    generator, size = Generator().manual_seed(0), 1e-6
    for name, value in parameters.items():
        way = torch.randn(value.shape, generator=generator).double()
        ahead, behind = (
            meta_loss(mlp, rule, {**parameters, name: value + sign * size * way}, past, future)
            for sign in (1, -1)
        )
        slope = float(ahead - behind) / (2 * size)
        assert float((gradients[name] * way).sum()) == pytest.approx(slope, rel=1e-5, abs=1e-9)


def test_fixed_step_sizes_have_no_gradient() -> None:
    rule = GradientStep(steps=2, step=0.2, bias_step=0.3)
    given = problem("silu", rule)
    loss, gradients = MetaGradient(given[0], rule)(*given[1:])
    expected, theirs = by_autograd(given[0], rule, *given[1:])
    assert float(loss) == pytest.approx(float(expected))
    assert gradients.keys() == theirs.keys()
    assert all(torch.allclose(gradients[name], theirs[name]) for name in theirs)


def test_it_remembers_nothing_but_memory() -> None:
    rule = grbal(2)
    mlp, parameters, past, future = problem("silu", rule)
    take = MetaGradient(mlp, rule)
    first = take(parameters, past, future)
    take(parameters, replace(past, y=3 * past.y), future.tasks(slice(0, TASKS)))
    shorter = take(parameters, past.tasks(slice(0, 2)), future.tasks(slice(0, 2)))
    again = take(parameters, past, future)
    fresh = MetaGradient(mlp, rule)(parameters, past.tasks(slice(0, 2)), future.tasks(slice(0, 2)))
    for ours, theirs in ((first, again), (shorter, fresh)):
        assert torch.equal(ours[0], theirs[0])
        assert all(torch.equal(ours[1][name], theirs[1][name]) for name in ours[1])


def test_bfloat16_is_close_and_sums_in_float32() -> None:
    rule = grbal(2, step=0.2, bias_step=0.3)
    given = problem("silu", rule, torch.float32)
    loss, exact = MetaGradient(given[0], rule)(*given[1:])
    rough_loss, rough = MetaGradient(given[0], rule, torch.bfloat16)(*given[1:])
    assert float(rough_loss) == pytest.approx(float(loss), rel=0.03)
    assert abs(float(rough_loss) / float(loss) - 1) > 1e-4
    for name, value in exact.items():
        assert rough[name].dtype == torch.float32
        assert float((rough[name] - value).norm()) < 0.1 * float(value.norm()), name
