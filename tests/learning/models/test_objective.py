"""Losses and their gradients, whatever number of tasks is worked on at once."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from torch import Generator

import ros_mbmrl.learning.models.objective as objective
from ros_mbmrl.adaptation import make_rule
from ros_mbmrl.adaptation.base import Support
from ros_mbmrl.learning.models.objective import ByAutograd, meta_loss, segment_loss, supervised_loss
from ros_mbmrl.networks.mlp import MLP, Parameters

NETWORK = MLP((3, 8, 8, 2))


def segments(tasks: int = 5, length: int = 6) -> tuple[Support, Support]:
    generator = Generator().manual_seed(0)

    def segment() -> Support:
        x, y = (torch.randn(tasks, length, n, generator=generator) for n in (3, 2))
        return Support(x, y, torch.ones(tasks, length, 1), torch.tensor([1.5, 0.5]))

    return segment(), segment()


def live_parameters(method: str) -> Parameters:
    generator = Generator().manual_seed(1)
    parameters = NETWORK.init(generator)
    parameters |= make_rule(method).init(NETWORK, parameters, generator)
    return {
        name: value.clone().requires_grad_(not name.startswith("frozen."))
        for name, value in parameters.items()
    }


def test_loss_by_hand() -> None:
    y = torch.tensor([[[0.0, 0.0], [0.0, 0.0]]])
    output = torch.tensor([[[1.0, 2.0], [3.0, 100.0]]])
    weight = torch.tensor([[[1.0], [0.0]]])
    future = Support(y, y, weight, torch.tensor([1.5, 0.5]))
    assert segment_loss(output, future).tolist() == [(1.5 * 1 + 0.5 * 4) / 2]


def test_the_supervised_loss_is_the_mean_of_both_segments() -> None:
    parameters, (past, future) = live_parameters("mb"), segments()
    expected = [
        segment_loss(NETWORK.forward(parameters, part.x), part).mean() for part in (past, future)
    ]
    loss = supervised_loss(NETWORK, parameters, past, future)
    assert loss.item() == pytest.approx(sum(each.item() for each in expected) / 2)


@pytest.mark.parametrize("method", ["rebal", "context", "grbal"])
@pytest.mark.parametrize("units", [1, 2 * 8 * 6])  # one task, two at once
def test_parts_have_the_gradient_of_the_whole(
    method: str, units: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    parameters, loss = live_parameters(method), partial(meta_loss, NETWORK, make_rule(method))
    whole = loss(parameters, *segments())
    trained = {name: value for name, value in parameters.items() if value.requires_grad}
    expected = torch.autograd.grad(whole, list(trained.values()), allow_unused=True)
    monkeypatch.setattr(objective, "UNITS", units)
    parts = list(objective.in_parts(NETWORK, *segments()))
    assert len(parts) == (5 if units == 1 else 3)
    found_loss, found = ByAutograd(NETWORK, loss)(parameters, *segments())
    assert float(found_loss) == pytest.approx(whole.item(), rel=1e-5)
    for name, value in zip(trained, expected, strict=True):
        assert (name in found) == (value is not None)
        if value is not None:
            torch.testing.assert_close(found[name], value, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("method", ["mb", "rebal", "context", "bayes_context", "leaky_context"])
def test_products_in_bfloat16_have_gradients_in_float32(method: str) -> None:
    parameters, rule = live_parameters(method), make_rule(method)
    loss = partial(meta_loss, NETWORK, rule) if rule.meta_trained else None
    loss = loss or partial(supervised_loss, NETWORK)
    exact = ByAutograd(NETWORK, loss)(parameters, *segments())[1]
    rough = ByAutograd(NETWORK, loss, torch.bfloat16)(parameters, *segments())[1]
    ours = torch.cat([rough[name].flatten() for name in exact])
    theirs = torch.cat([value.flatten() for value in exact.values()])
    assert ours.dtype == torch.float32
    assert 1e-5 < float((ours - theirs).norm() / theirs.norm()) < 0.05
