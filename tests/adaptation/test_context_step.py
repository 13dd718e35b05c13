"""A gradient step on top of the conditioned network."""

from __future__ import annotations

import pytest
import torch

from ros_mbmrl.adaptation.base import Support
from ros_mbmrl.adaptation.context import Context
from ros_mbmrl.adaptation.context_step import ContextStep
from ros_mbmrl.adaptation.gradient import GradientStep
from ros_mbmrl.networks.mlp import MLP

NETWORK = MLP((3, 8, 2))


def test_it_is_a_step_from_the_conditioned_network() -> None:
    g = torch.Generator().manual_seed(0)
    rule = ContextStep(hidden=8, size=4, steps=2, step=0.05, bias_step=0.2)
    parameters = NETWORK.init(g)
    parameters |= rule.init(NETWORK, parameters, g)
    for name in ("condition.b0", "condition.b1"):
        parameters[name] = torch.randn(parameters[name].shape, generator=g)
    x, y = torch.randn(1, 6, 3, generator=g), torch.randn(1, 6, 2, generator=g)
    support = Support(x, y, torch.ones(1, 6, 1), torch.ones(2))

    conditioned = NETWORK.materialise(
        parameters, Context(8, 4).update(NETWORK, parameters, support)
    )
    stepped = GradientStep(2, 0.05, 0.2).update(NETWORK, conditioned, support)
    expected = NETWORK.forward(NETWORK.materialise(conditioned, stepped), x)
    update = rule.update(NETWORK, parameters, support)
    torch.testing.assert_close(NETWORK.forward_updated(parameters, update, x)[0], expected)


def test_it_is_trained_as_the_encoder_alone() -> None:
    assert ContextStep(hidden=8, size=4).training_rule == Context(8, 4)


@pytest.mark.parametrize("options", [{"steps": 0}, {"step": 0.0}, {"hidden": 0}])
def test_impossible_settings_are_refused_at_construction(options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="expected"):
        ContextStep(**options)  # type: ignore[arg-type]
