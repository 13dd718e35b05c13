"""The neural process: a pooled code that shifts every bias."""

from __future__ import annotations

import pytest
import torch

from ros_mbmrl.adaptation.base import Support
from ros_mbmrl.adaptation.context import Context
from ros_mbmrl.networks.mlp import MLP, Parameters

NETWORK = MLP((3, 8, 2))


def conditioned(seed: int = 0) -> tuple[Context, Parameters]:
    """A rule whose map from code to bias is not zero any more."""
    g, rule = torch.Generator().manual_seed(seed), Context(hidden=8, size=4)
    parameters = NETWORK.init(g)
    parameters |= rule.init(NETWORK, parameters, g)
    for k in range(NETWORK.layers):
        name = f"condition.b{k}"
        parameters[name] = torch.randn(parameters[name].shape, generator=g)
    return rule, parameters


def window(rows: int, weight: float = 1.0, seed: int = 5) -> Support:
    g = torch.Generator().manual_seed(seed)
    x, y = torch.randn(2, rows, 3, generator=g), torch.randn(2, rows, 2, generator=g)
    return Support(x, y, torch.full((2, rows, 1), weight), torch.ones(2))


def shifts(rule: Context, parameters: Parameters, support: Support) -> torch.Tensor:
    update = rule.update(NETWORK, parameters, support)
    return torch.cat([layer.bias for layer in update.layers if layer.bias is not None], dim=-1)


def test_an_empty_window_shifts_nothing() -> None:
    rule, parameters = conditioned()
    assert shifts(rule, parameters, window(5, weight=0.0)).abs().max() == 0.0


def test_an_untrained_rule_is_the_prior() -> None:
    g, rule = torch.Generator().manual_seed(0), Context()
    parameters = NETWORK.init(g)
    parameters |= rule.init(NETWORK, parameters, g)
    assert shifts(rule, parameters, window(5)).abs().max() == 0.0


def test_the_order_of_the_window_does_not_matter() -> None:
    rule, parameters = conditioned()
    support, order = window(6), torch.tensor([3, 0, 5, 1, 4, 2])
    mixed = Support(support.x[:, order], support.y[:, order], support.weight, support.scale)
    torch.testing.assert_close(shifts(rule, parameters, support), shifts(rule, parameters, mixed))
    assert shifts(rule, parameters, support).abs().max() > 0.01


def test_rows_without_weight_have_no_say() -> None:
    rule, parameters = conditioned()
    support = window(6)
    support.weight[:, :2] = 0.0
    rest = Support(support.x[:, 2:], support.y[:, 2:], support.weight[:, 2:], support.scale)
    torch.testing.assert_close(shifts(rule, parameters, support), shifts(rule, parameters, rest))


def test_the_model_it_started_from_stays_frozen() -> None:
    rule, parameters = conditioned()
    parameters = {name: value.requires_grad_() for name, value in parameters.items()}
    shifts(rule, parameters, window(6)).square().sum().backward()
    assert parameters["encoder.w0"].grad is not None
    assert all(v.grad is None for name, v in parameters.items() if name.startswith("frozen."))


def test_impossible_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="hidden, size: expected"):
        Context(size=0)
