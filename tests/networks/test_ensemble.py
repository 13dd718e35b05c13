"""Ensembles: each member as if alone, and what is written into their inputs."""

from __future__ import annotations

import pytest
import torch
from torch import Generator

from ros_mbmrl.networks.ensemble import Ensemble, members_of, split, stacked
from ros_mbmrl.networks.mlp import InputUpdate, LayerUpdate, Parameters, Update

MLP = Ensemble((3, 8, 5, 2), "silu", members=4)


@pytest.fixture
def parameters() -> Parameters:
    drawn = MLP.init(Generator().manual_seed(0))
    return {name: value + 0.1 for name, value in drawn.items()}


def rows(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=Generator().manual_seed(1))


def test_members_are_drawn_apart(parameters: Parameters) -> None:
    first, *others = members_of(parameters)
    assert len(others) == 3
    assert not any(torch.equal(first["w0"], other["w0"]) for other in others)


def test_stacking_loses_nothing(parameters: Parameters) -> None:
    again = split(stacked(parameters))
    assert again.keys() == parameters.keys()
    assert all(torch.equal(again[name], value) for name, value in parameters.items())


def test_each_member_computes_what_it_would_alone(parameters: Parameters) -> None:
    x = rows(7, 3)
    each = MLP.forward_each(stacked(parameters), x)
    alone = [MLP.member.forward(own, x) for own in members_of(parameters)]
    torch.testing.assert_close(each, torch.stack(alone))
    torch.testing.assert_close(MLP.forward(parameters, x), torch.stack(alone).mean(dim=0))


def test_an_update_of_the_inputs_written_in_is_the_update(parameters: Parameters) -> None:
    x = rows(1, 6, 3)
    change = InputUpdate(torch.tensor([[1.0, 0.0, 0.5]]), torch.tensor([[0.0, 0.3, -0.2]]))
    update = Update(MLP.no_update.layers, inputs=change)
    expected = MLP.forward(parameters, change(x))
    torch.testing.assert_close(MLP.forward_updated(parameters, update, x).outputs, expected)
    written = MLP.materialise(parameters, update)
    torch.testing.assert_close(MLP.forward(written, x), expected)


def test_layers_are_not_updated(parameters: Parameters) -> None:
    update = Update((LayerUpdate(bias=torch.ones(1, 1, 8)), LayerUpdate(), LayerUpdate()))
    with pytest.raises(ValueError, match="adapted by its inputs alone"):
        MLP.forward_updated(parameters, update, rows(1, 2, 3))


@pytest.mark.parametrize("members", [1, 0, 65])
def test_a_wrong_number_of_members_is_refused(members: int) -> None:
    with pytest.raises(ValueError, match=f"members: expected 2 to 64, got {members}"):
        Ensemble((3, 2), "tanh", members)
