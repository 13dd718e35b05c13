"""Transitions as the encoder sees them, and its parameters before any training."""

from __future__ import annotations

import pytest
import torch

from ros_mbmrl.adaptation import encoder
from ros_mbmrl.adaptation.base import Support
from ros_mbmrl.adaptation.encoder import EncoderRule
from ros_mbmrl.networks.mlp import MLP, Parameters

NETWORK = MLP((3, 8, 2))
SUM = MLP((7, 1))  # one layer, so that what is encoded can be computed by hand


def parameters_of(network: MLP, size: int = 4) -> Parameters:
    g = torch.Generator().manual_seed(0)
    prior = NETWORK.init(g)
    return {**prior, **encoder.init(NETWORK, network, size, prior, g)}


def test_it_takes_inputs_changes_and_errors_of_the_model() -> None:
    assert encoder.encoder(NETWORK, 16, 5).sizes == (3 + 2 + 2, 16, 16, 5)
    assert encoder.encoder(MLP((3, 8, 2), "silu"), 16, 5).activation == "silu"


def test_conditions_begin_at_zero_and_the_model_is_frozen_as_it_was() -> None:
    parameters = parameters_of(encoder.encoder(NETWORK, 16, 5))
    assert parameters["condition.b0"].shape == (4, 8)
    assert parameters["condition.b1"].shape == (4, 2)
    assert not any(parameters[f"condition.b{k}"].any() for k in range(2))
    for name in ("w0", "b0", "w1", "b1"):
        assert torch.equal(parameters[f"frozen.{name}"], parameters[name])
        assert parameters[f"frozen.{name}"] is not parameters[name]


def test_a_transition_is_encoded_with_the_error_of_the_frozen_model() -> None:
    parameters = parameters_of(SUM)
    parameters["encoder.w0"] = torch.arange(7.0)[:, None]
    parameters["encoder.b0"] = torch.zeros(1)
    g = torch.Generator().manual_seed(1)
    x, y = torch.randn(1, 4, 3, generator=g), torch.randn(1, 4, 2, generator=g)
    y[0, 2, 1] = 1e3  # counts as the limit
    support = Support(x, y, torch.ones(1, 4, 1), torch.ones(2))
    frozen = {name: parameters[f"frozen.{name}"] for name in ("w0", "b0", "w1", "b1")}
    for name in frozen:  # it is not the model of now that is compared with
        parameters[name] = parameters[name] + 1.0
    found = encoder.encode(NETWORK, SUM, parameters, support, limit=5.0)
    y = y.clamp(-5.0, 5.0)
    seen = torch.cat([x, y, y - NETWORK.forward(frozen, x)], dim=-1)
    torch.testing.assert_close(found, (seen * torch.arange(7.0)).sum(-1, keepdim=True))


def test_tasks_that_share_rows_get_a_copy_each() -> None:
    network = encoder.encoder(NETWORK, 16, 5)
    g = torch.Generator().manual_seed(2)
    x, y = torch.randn(2, 4, 3, generator=g), torch.randn(2, 4, 2, generator=g)
    support = Support(x, y, torch.ones(6, 4, 1), torch.ones(2))
    encoded = encoder.encode(NETWORK, network, parameters_of(network), support, 5.0)
    assert encoded.shape == (6, 4, 5)
    assert torch.equal(encoded[0], encoded[2]) and not torch.equal(encoded[0], encoded[1])


@pytest.mark.parametrize("wrong", [{"hidden": 0}, {"size": -1}])
def test_sizes_that_are_none_are_refused(wrong: dict[str, int]) -> None:
    class Rule(EncoderRule):
        update = None  # type: ignore[assignment]

    with pytest.raises(ValueError, match="hidden, size: expected positive numbers"):
        Rule(**wrong)
