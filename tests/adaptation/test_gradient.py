"""The inner step: exact, and exactly differentiable once more."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from ros_mbmrl.adaptation.base import Support
from ros_mbmrl.adaptation.gradient import GradientStep
from ros_mbmrl.networks.mlp import MLP, Parameters

TASKS, LENGTH = 3, 7
SCALE = torch.tensor([0.5, 1.0, 1.5], dtype=torch.float64)


def draw(*shape: int, seed: int) -> Tensor:
    g = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=g, dtype=torch.float64)


def problem(
    activation: str, steps: int
) -> tuple[MLP, GradientStep, Parameters, Support, Tensor, Tensor]:
    """A network, a meta-trained rule, windows with errors past Huber's corner, and queries."""
    mlp = MLP((4, 9, 6, 3), activation)
    rule = GradientStep(steps=steps, step=0.1, bias_step=0.3, limit=2.0, meta_trained=True)
    g = torch.Generator().manual_seed(0)
    parameters = mlp.init(g)
    parameters |= rule.init(mlp, parameters, g)
    parameters = {
        name: (value.double() + 0.1 * draw(*value.shape, seed=k)).requires_grad_()
        for k, (name, value) in enumerate(parameters.items())
    }
    weight = (torch.arange(LENGTH) >= torch.tensor([[0], [3], [5]])).double()[..., None]
    support = Support(
        draw(TASKS, LENGTH, 4, seed=101), 3 * draw(TASKS, LENGTH, 3, seed=102), weight, SCALE
    )
    return mlp, rule, parameters, support, draw(TASKS, 5, 4, seed=103), draw(TASKS, 5, 3, seed=104)


def outer_loss(
    mlp: MLP, rule: GradientStep, parameters: Parameters, support: Support, x: Tensor, y: Tensor
) -> Tensor:
    update = rule.update(mlp, parameters, support)
    return (mlp.forward_updated(parameters, update, x)[0] - y).square().mean()


def plain_autograd_loss(
    mlp: MLP, rule: GradientStep, parameters: Parameters, support: Support, x: Tensor, y: Tensor
) -> Tensor:
    """Eq. 24 written plainly: a weight matrix per task, `create_graph` through the inner loss."""
    total = torch.zeros((), dtype=torch.float64)
    names = [f"{kind}{k}" for k in range(mlp.layers) for kind in "wb"]
    for n in range(TASKS):
        own = dict(parameters)
        for step in range(rule.steps):
            residual = (mlp.forward(own, support.x[n]) - support.y[n]).abs()
            quadratic = residual.square() / 2
            linear = rule.limit * (residual - rule.limit / 2)
            huber = torch.where(residual <= rule.limit, quadratic, linear)
            per_row = (huber * support.scale).mean(dim=1)
            weight = support.weight[n, :, 0]
            loss = (per_row * weight).sum() / weight.sum()
            gradients = torch.autograd.grad(loss, [own[m] for m in names], create_graph=True)
            for name, gradient in zip(names, gradients, strict=True):
                own[name] = own[name] - parameters[f"psi.{name}"][step].exp() * gradient
        total = total + (mlp.forward(own, x[n]) - y[n]).square().mean() / TASKS
    return total


@pytest.mark.parametrize("activation", ["tanh", "silu"])
@pytest.mark.parametrize("steps", [1, 3])
def test_low_rank_step_and_its_gradient_equal_plain_autograd(activation: str, steps: int) -> None:
    mlp, rule, parameters, *rest = problem(activation, steps)
    fast = outer_loss(mlp, rule, parameters, *rest)
    plain = plain_autograd_loss(mlp, rule, parameters, *rest)
    torch.testing.assert_close(fast, plain, rtol=1e-12, atol=0)
    values = list(parameters.values())
    for name, a, b in zip(
        parameters,
        torch.autograd.grad(fast, values),
        torch.autograd.grad(plain, values),
        strict=True,
    ):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-12, msg=name)


@pytest.mark.parametrize("activation", ["tanh", "silu"])
@pytest.mark.parametrize("steps", [1, 3])
def test_outer_gradient_equals_finite_differences(activation: str, steps: int) -> None:
    mlp, rule, parameters, *rest = problem(activation, steps)
    values = list(parameters.values())
    gradients = torch.autograd.grad(outer_loss(mlp, rule, parameters, *rest), values)
    directions = [draw(*value.shape, seed=200 + k) for k, value in enumerate(values)]
    slope = sum(float((g * d).sum()) for g, d in zip(gradients, directions, strict=True))

    def moved(amount: float) -> float:
        there = {
            name: value.detach() + amount * direction
            for (name, value), direction in zip(parameters.items(), directions, strict=True)
        }
        return float(outer_loss(mlp, rule, there, *rest))

    h = 1e-5
    assert slope == pytest.approx((moved(h) - moved(-h)) / (2 * h), rel=1e-5)


def test_the_gradient_is_of_second_order() -> None:
    mlp, rule, parameters, *rest = problem("tanh", 1)
    exact = torch.autograd.grad(outer_loss(mlp, rule, parameters, *rest), parameters["w1"])[0]
    support, x, y = rest
    frozen = rule.update(mlp, {name: v.detach() for name, v in parameters.items()}, support)
    first_order = (mlp.forward_updated(parameters, frozen, x)[0] - y).square().mean()
    approximate = torch.autograd.grad(first_order, parameters["w1"])[0]
    assert float((exact - approximate).norm() / exact.norm()) > 0.01


def test_one_step_of_a_linear_model_by_hand() -> None:
    mlp, rule = MLP((1, 1)), GradientStep(steps=1, step=0.1, bias_step=0.5, limit=10.0)
    parameters = {"w0": torch.tensor([[1.0]]), "b0": torch.tensor([0.0])}
    x, y = torch.tensor([[[1.0], [2.0]]]), torch.tensor([[[3.0], [2.0]]])
    support = Support(x, y, torch.ones(1, 2, 1), torch.ones(1))
    adapted = mlp.materialise(parameters, rule.update(mlp, parameters, support))
    # residuals -2 and 0: gradients are their means, (-2 * 1 + 0 * 2) / 2 and (-2 + 0) / 2
    assert adapted["w0"].item() == pytest.approx(1.0 + 0.1 * 1.0)
    assert adapted["b0"].item() == pytest.approx(0.0 + 0.5 * 1.0)


def test_an_error_past_the_corner_pulls_no_harder() -> None:
    mlp, rule = MLP((1, 1)), GradientStep(limit=3.0)
    parameters = {"w0": torch.zeros(1, 1), "b0": torch.zeros(1)}

    def shift(y: float) -> float:
        support = Support(
            torch.ones(1, 1, 1), torch.full((1, 1, 1), y), torch.ones(1, 1, 1), torch.ones(1)
        )
        bias = rule.update(mlp, parameters, support).layers[0].bias
        assert bias is not None
        return bias.item()

    assert shift(3.0) == pytest.approx(0.02 * 3.0)
    assert shift(3000.0) == pytest.approx(shift(3.0))


def test_rows_without_weight_have_no_say() -> None:
    mlp, rule, parameters, support, x, y = problem("tanh", 3)
    out = mlp.forward_updated(parameters, rule.update(mlp, parameters, support), x)[0]
    spoiled = torch.where(support.weight > 0, support.y, 9.0)
    other = Support(support.x, spoiled, support.weight, support.scale)
    again = mlp.forward_updated(parameters, rule.update(mlp, parameters, other), x)[0]
    torch.testing.assert_close(out, again, rtol=0, atol=0)


def test_an_empty_window_changes_nothing() -> None:
    mlp, rule, parameters, support, x, _ = problem("tanh", 3)
    empty = Support(support.x, support.y, torch.zeros_like(support.weight), support.scale)
    out = mlp.forward_updated(parameters, rule.update(mlp, parameters, empty), x)[0]
    torch.testing.assert_close(out, mlp.forward(parameters, x))


@pytest.mark.parametrize("activation", ["tanh", "silu"])
def test_descending_from_an_update_is_descending_from_what_it_makes_of_the_prior(
    activation: str,
) -> None:
    mlp, rule, parameters, support, x, _ = problem(activation, 2)
    start = rule.update(mlp, parameters, support)
    together = rule.descend(mlp, parameters, support, start)
    output = mlp.forward_updated(parameters, together, x)[0]
    for n in range(TASKS):
        own = Support(support.x[n : n + 1], support.y[n : n + 1], support.weight[n : n + 1], SCALE)
        moved = mlp.materialise(parameters, start.tasks(slice(n, n + 1)))
        alone = rule.update(mlp, moved, own)
        expected = mlp.forward_updated(moved, alone, x[n : n + 1])[0]
        torch.testing.assert_close(output[n : n + 1], expected)


def test_step_sizes_are_one_for_each_tensor_and_step() -> None:
    mlp = MLP((4, 9, 3))
    rule = GradientStep(steps=2, step=0.1, bias_step=0.5, meta_trained=True)
    own = rule.init(mlp, {}, torch.Generator())
    assert sorted(own) == ["psi.b0", "psi.b1", "psi.w0", "psi.w1"]
    assert own["psi.b1"].tolist() == pytest.approx([math.log(0.5)] * 2)
    assert GradientStep().init(mlp, {}, torch.Generator()) == {}


@pytest.mark.parametrize("options", [{"steps": 0}, {"step": 0.0}, {"bias_step": -1.0}])
def test_impossible_settings_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="expected"):
        GradientStep(**options)  # type: ignore[arg-type]
