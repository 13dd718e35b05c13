"""A code with memories of many lengths, which fades in imagination."""

from __future__ import annotations

import pytest
import torch

from ros_mbmrl.adaptation import encoder
from ros_mbmrl.adaptation.base import Support
from ros_mbmrl.adaptation.context_step import LeakyContextStep
from ros_mbmrl.adaptation.leaky_context import LeakyContext
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.networks.recurrent import PERSISTENCE, condition, fade, imagine

NETWORK = MLP((3, 8, 2))
RULE = LeakyContext(hidden=8, size=4)


def conditioned(seed: int = 0) -> Parameters:
    g = torch.Generator().manual_seed(seed)
    parameters = NETWORK.init(g)
    parameters |= RULE.init(NETWORK, parameters, g)
    for k in range(NETWORK.layers):
        name = f"condition.b{k}"
        parameters[name] = torch.randn(parameters[name].shape, generator=g)
    return parameters


def window(rows: int, weight: float = 1.0) -> Support:
    g = torch.Generator().manual_seed(5)
    x, y = torch.randn(2, rows, 3, generator=g), torch.randn(2, rows, 2, generator=g)
    return Support(x, y, torch.full((2, rows, 1), weight), torch.ones(2))


def test_the_code_is_the_weighted_mean_of_the_definition() -> None:
    parameters, support = conditioned(), window(3)
    network = encoder.encoder(NETWORK, 8, 4)
    encoded = encoder.encode(NETWORK, network, parameters, support, RULE.limit)
    a = torch.sigmoid(parameters["memory.forgetting"])
    prior = parameters["memory.prior"].exp()
    by_hand = (a**2 * encoded[:, 0] + a * encoded[:, 1] + encoded[:, 2]) / (prior + a**2 + a + 1)
    torch.testing.assert_close(RULE.code(NETWORK, parameters, support), by_hand)


def test_memories_start_between_a_step_and_a_minute() -> None:
    kept = torch.sigmoid(conditioned()["memory.forgetting"])
    assert kept[0] == pytest.approx(0.24, abs=0.01)  # exp(-1 / 0.7)
    assert kept[-1] == pytest.approx(0.984, abs=0.002)  # exp(-1 / 64)


def test_an_empty_window_is_the_prior() -> None:
    update = RULE.update(NETWORK, conditioned(), window(5, weight=0.0))
    assert update.hidden is not None
    assert update.hidden.abs().max() == 0.0
    assert all(layer.bias is None or layer.bias.abs().max() == 0.0 for layer in update.layers)


def test_in_a_roll_out_the_code_fades_and_the_gradient_step_stays() -> None:
    parameters, support = conditioned(), window(6)
    rule = LeakyContextStep(hidden=8, size=4, step=0.1, bias_step=0.1)
    start, update = (
        RULE.update(NETWORK, parameters, support),
        rule.update(NETWORK, parameters, support),
    )
    later = update
    for _ in range(3):
        later = imagine(parameters, later, support.x[:, 0], support.y[:, 0])
    faded = fade(parameters, update, 3)
    assert start.hidden is not None
    assert later.hidden is not None
    torch.testing.assert_close(later.hidden, faded.hidden)
    kept = torch.sigmoid(parameters[PERSISTENCE]) ** 3
    expected = condition(parameters, kept * start.hidden)
    for k in range(NETWORK.layers):
        step = _bias(update, k) - _bias(start, k)
        torch.testing.assert_close(_bias(later, k) - _bias(expected, k), step)
        assert step.abs().max() > 0


def test_impossible_sizes_are_refused() -> None:
    with pytest.raises(ValueError, match="hidden, size: expected"):
        LeakyContext(size=0)


def _bias(update: object, k: int) -> torch.Tensor:
    bias = update.layers[k].bias  # type: ignore[attr-defined]
    assert isinstance(bias, torch.Tensor)
    return bias
