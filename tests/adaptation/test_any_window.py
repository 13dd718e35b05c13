"""Every method of the registry on any finite window, and the inner step against differences."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from ros_mbmrl.adaptation import METHODS, make_rule
from ros_mbmrl.adaptation.base import Support, Window
from ros_mbmrl.adaptation.gradient import GradientStep
from ros_mbmrl.adaptation.guard import Guard, GuardConfig
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.dynamics.normalizer import Normalizer
from ros_mbmrl.networks.mlp import MLP
from ros_mbmrl.robots.spec import Robot

usual = st.floats(-9.0, 9.0, width=32)
finite = st.floats(width=32, allow_nan=False, allow_infinity=False)  # up to 3e38
rows = st.lists(
    st.lists(usual, min_size=7, max_size=7) | st.lists(finite, min_size=7, max_size=7),
    min_size=1,
    max_size=20,
)
folds = st.integers(2, 6)
guards = folds.flatmap(
    lambda n: st.builds(
        GuardConfig,
        folds=st.just(n),
        min_transitions=st.integers(n, 12),
        max_change=st.sampled_from([1e-3, 1.0, 1e30]),
        margin=st.sampled_from([0.1, 1.0]),
        enabled=st.booleans(),
    )
)


@pytest.mark.parametrize("method", METHODS)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(given_rows=rows, config=guards, seed=st.integers(0, 3))
def test_any_finite_window_gives_a_finite_model_or_a_refusal(
    robot: Robot, method: str, given_rows: list[list[float]], config: GuardConfig, seed: int
) -> None:
    one = torch.ones
    normalizer = Normalizer(torch.zeros(3), one(3), torch.zeros(4), one(4))
    model, rule = DynamicsModel(robot, MLP((3, 16, 4)), normalizer), make_rule(method)
    g = torch.Generator().manual_seed(seed)
    parameters: dict[str, Any] = model.mlp.init(g)
    own = rule.init(model.mlp, parameters, g)
    parameters |= {name: v + 0.1 * torch.randn(v.shape, generator=g) for name, v in own.items()}
    data = torch.tensor(given_rows)
    guard = Guard(rule, parameters, 16, config)
    adapted = guard.adapt(model, Window(data[:, :1], data[:, 1:3], data[:, 3:]))
    assert adapted.report.accepted or adapted.parameters is parameters
    assert adapted.report.reason
    assert all(bool(value.isfinite().all()) for value in adapted.parameters.values())
    numbers = (adapted.report.error_before, adapted.report.error_after)
    assert torch.tensor(numbers).isfinite().all()
    if adapted.report.accepted and config.enabled:
        assert adapted.report.change <= config.max_change
        assert adapted.report.error_after < config.margin * adapted.report.error_before
    states, actions = torch.zeros(2, 4), torch.ones(2, 5, 2)
    imagined = model.predictor(adapted.parameters, adapted.hidden)(states, actions)
    assert imagined.isfinite().all()


sizes = st.tuples(
    st.integers(1, 3),
    st.lists(st.integers(1, 5), max_size=2),
    st.integers(1, 3),
    st.integers(1, 6),
)


@settings(max_examples=40, deadline=None)
@given(shape=sizes, activation=st.sampled_from(["tanh", "silu"]), seed=st.integers(0, 1000))
def test_the_inner_step_is_down_the_slope_that_finite_differences_find(
    shape: tuple[int, list[int], int, int], activation: str, seed: int
) -> None:
    """Every weight and bias, one at a time, in float64."""
    inputs, hidden, outputs, length = shape
    mlp = MLP((inputs, *hidden, outputs), activation)
    g = torch.Generator().manual_seed(seed)

    def draw(*size: int) -> Tensor:
        return torch.randn(*size, generator=g, dtype=torch.float64)

    parameters = {name: value.double() for name, value in mlp.init(g).items()}
    parameters = {name: value + 0.1 * draw(*value.shape) for name, value in parameters.items()}
    x, y = draw(1, length, inputs), 2 * draw(1, length, outputs)
    weight, scale = draw(1, length, 1).square(), draw(outputs).square()
    rule = GradientStep(step=0.1, bias_step=0.3, limit=1.5)

    def loss(name: str, index: int, amount: float) -> float:
        moved = {**parameters, name: parameters[name].clone()}
        moved[name].view(-1)[index] += amount
        residual = (mlp.forward(moved, x) - y).abs()
        linear = rule.limit * (residual - rule.limit / 2)
        huber = torch.where(residual <= rule.limit, residual.square() / 2, linear)
        per_row = (huber * scale).mean(dim=-1, keepdim=True)
        return float((per_row * weight).sum() / weight.sum())

    update = rule.update(mlp, parameters, Support(x, y, weight, scale))
    adapted, h = mlp.materialise(parameters, update), 1e-6
    for name, value in parameters.items():
        step = rule.step if name[0] == "w" else rule.bias_step
        slope = ((value - adapted[name]) / step).view(-1)
        for k in range(value.numel()):
            expected = (loss(name, k, h) - loss(name, k, -h)) / (2 * h)
            assert float(slope[k]) == pytest.approx(expected, rel=1e-4, abs=1e-6)
