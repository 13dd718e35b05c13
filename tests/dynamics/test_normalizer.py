"""Normalisation over all data."""

from __future__ import annotations

import torch

from ros_mbmrl.dynamics.normalizer import Normalizer


def test_statistics_by_hand() -> None:
    inputs = torch.tensor([[1.0, 5.0], [3.0, 5.0]])
    normalizer = Normalizer.fit(inputs, torch.tensor([[0.0], [4.0]]))
    assert normalizer.input_mean.tolist() == [2.0, 5.0]
    assert normalizer.input_std.tolist() == [1.0, 1.0]  # a constant keeps 1
    assert normalizer.change_mean.tolist() == [2.0]


def test_denormalise_inverts_changes() -> None:
    rows = torch.randn(20, 3) * torch.tensor([0.1, 1.0, 30.0]) + 5
    normalizer = Normalizer.fit(rows, rows)
    torch.testing.assert_close(normalizer.denormalise(normalizer.changes(rows)), rows)


def test_inputs_are_clipped_and_raw_inputs_are_not() -> None:
    normalizer = Normalizer(torch.zeros(2), torch.ones(2), torch.zeros(1), torch.ones(1), clip=6.0)
    features, actions = torch.tensor([[1e9]]), torch.tensor([[-7.0]])
    assert normalizer.inputs(features, actions).tolist() == [[6.0, -6.0]]
    assert normalizer.raw_inputs(features, actions).tolist() == [[1e9, -7.0]]


def test_one_row_gives_finite_statistics() -> None:
    normalizer = Normalizer.fit(torch.ones(1, 2), torch.ones(1, 1))
    assert normalizer.input_std.tolist() == [1.0, 1.0]
    assert normalizer.change_std.tolist() == [1.0]
