"""Ensembles: each member as if alone, and what is written into their inputs."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from torch import Generator

from ros_mbmrl.networks.ensemble import (
    Ensemble,
    MemberUpdates,
    members_of,
    memory_of,
    split,
    stacked,
)
from ros_mbmrl.networks.mlp import Parameters
from ros_mbmrl.networks.updates import InputUpdate, LayerUpdate, Update

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


def random_update(tasks: int, rank: int, seed: int = 2) -> MemberUpdates:
    """An update of every layer of every member."""
    g = Generator().manual_seed(seed)

    def draw(*shape: int) -> torch.Tensor:
        return 0.3 * torch.randn(*shape, generator=g)

    members = [
        Update(
            tuple(
                LayerUpdate(draw(tasks, rank, a), draw(tasks, rank, b), draw(tasks, 1, b))
                for a, b in pairwise(MLP.sizes)
            )
        )
        for _ in range(MLP.members)
    ]
    return MemberUpdates(MLP.no_update.layers, members=tuple(members))


def test_an_update_of_each_member_written_in_is_the_update(parameters: Parameters) -> None:
    x, update = rows(2, 6, 3), random_update(2, rank=4)
    found = MLP.forward_updated(parameters, update, x).outputs
    for n in range(2):
        written = MLP.materialise(parameters, update.tasks(slice(n, n + 1)))
        torch.testing.assert_close(MLP.forward(written, x[n]), found[n])
    assert set(written) == set(parameters)
    each = MLP.materialise_each(parameters, update)
    assert each["member.2.w1"].shape == (2, 8, 5) and each["member.2.b1"].shape == (2, 1, 5)
    for k, own in enumerate(members_of(written)):
        torch.testing.assert_close(each[f"member.{k}.w1"][1], own["w1"])


def test_inputs_are_changed_for_all_members_before_their_layers(parameters: Parameters) -> None:
    x, update = rows(1, 6, 3), random_update(1, rank=2)
    change = InputUpdate(torch.tensor([[1.0, 0.0, 0.5]]), torch.tensor([[0.0, 0.3, -0.2]]))
    both = replace(update, inputs=change)
    expected = MLP.forward_updated(parameters, update, change(x)).outputs
    torch.testing.assert_close(MLP.forward_updated(parameters, both, x).outputs, expected)
    written = MLP.materialise(parameters, both)
    torch.testing.assert_close(MLP.forward(written, x), expected)
    each = both.having(replace(own, inputs=change) for own in both.members)
    with pytest.raises(ValueError, match="one update of the inputs: of all members, or of each"):
        MLP.forward_updated(parameters, each, x)


def test_updates_of_tasks_are_repeated_and_taken_out_member_by_member(
    parameters: Parameters,
) -> None:
    x, update = rows(2, 6, 3), random_update(2, rank=4)
    found = MLP.forward_updated(parameters, update, x).outputs
    twice = MLP.forward_updated(parameters, update.repeated(2), x.repeat_interleave(2, dim=0))
    torch.testing.assert_close(twice.outputs, found.repeat_interleave(2, dim=0))
    kept = update.where(torch.tensor([True, False]))
    outputs = MLP.forward_updated(parameters, kept, x).outputs
    torch.testing.assert_close(outputs[0], found[0])
    torch.testing.assert_close(outputs[1], MLP.forward(parameters, x[1]))


def test_memories_are_told_member_by_member() -> None:
    update = random_update(2, rank=1)
    assert memory_of(update) is None
    remembering = update.having(
        replace(own, hidden=torch.full((2, 3), float(k))) for k, own in enumerate(update.members)
    )
    found = memory_of(remembering)
    assert found is not None and found[:, 0].tolist() == [0, 0, 1, 1, 2, 2, 3, 3]


def test_an_update_that_does_not_suit_the_members_is_refused(parameters: Parameters) -> None:
    update = Update((LayerUpdate(bias=torch.ones(1, 1, 8)), LayerUpdate(), LayerUpdate()))
    with pytest.raises(ValueError, match="expected an update of each member"):
        MLP.forward_updated(parameters, update, rows(1, 2, 3))
    fewer = random_update(1, rank=1)
    with pytest.raises(ValueError, match="expected 4 updates, got 3"):
        MLP.materialise(parameters, fewer.having(fewer.members[:3]))


def test_what_belongs_to_a_rule_is_not_stacked(parameters: Parameters) -> None:
    own = {f"member.{k}.psi.w0": torch.ones(2) for k in range(4)}
    assert stacked(parameters | own).keys() == stacked(parameters).keys()


@pytest.mark.parametrize("members", [1, 0, 65])
def test_a_wrong_number_of_members_is_refused(members: int) -> None:
    with pytest.raises(ValueError, match=f"members: expected 2 to 64, got {members}"):
        Ensemble((3, 2), "tanh", members)
