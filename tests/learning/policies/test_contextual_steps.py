"""Steps with a context: a carried history, advantages and likelihoods by hand."""

from __future__ import annotations

import torch
from torch import Generator

from ros_mbmrl.learning.policies.contextual_steps import (
    Batch,
    Episode,
    Steps,
    carried,
    likelihood,
)
from ros_mbmrl.networks.history import Histories
from ros_mbmrl.policies.sampling import Discounts


def test_a_carried_history_keeps_its_transitions_and_their_successors() -> None:
    layout = Histories(1, 1, 3)
    held = layout.begun(torch.zeros(1, 1))
    for k in range(3):
        told = torch.full((1, 1), float(k)), torch.zeros(1), torch.full((1, 1), float(k + 1))
        held = layout.moved(held, *told)
    parts = layout.parts(carried(layout, held, torch.full((1, 1), 9.0)))
    assert parts.now.item() == 9.0 and parts.valid.tolist() == [[1.0, 1.0, 0.0]]
    assert parts.past[0, :, 0].tolist() == [0.0, 1.0, 2.0]  # the dropped one tells where 1 led to


def test_advantages_of_episodes_that_end_and_of_those_whose_time_is_up() -> None:
    """By hand, with lambda 1: discounted rewards and what comes after them, less V."""
    none = torch.zeros(2, 2, 1)
    rewards, values = torch.tensor([[1.0, 1.0], [2.0, 0.0]]), torch.tensor([[0.5, 0.5], [0.3, 7.0]])
    live = torch.tensor([[True, True], [True, False]])
    steps = Steps(none, none, none, none, none[..., 0], values, rewards, live)
    gained = Episode(steps, torch.tensor([4.0, 0.0])).advantages(Discounts(0.5, 1.0))
    expected = [[1 + 1 + 0.25 * 4 - 0.5, 1 - 0.5], [2 + 0.5 * 4 - 0.3, 0.0]]
    torch.testing.assert_close(gained, torch.tensor(expected))


def test_likelihoods_differ_as_a_normal_distributions() -> None:
    raw, mean, log_std = torch.randn(3, 5, 2, generator=Generator().manual_seed(0))
    std = log_std.exp()
    densities = ((-((raw - mean) ** 2) / (2 * std**2)).exp() / std).prod(-1)
    torch.testing.assert_close(likelihood(raw, mean, log_std).exp(), densities)


def test_a_batch_gives_some_of_its_rows() -> None:
    count = torch.arange(3.0)
    some = Batch(Steps(*[count] * 8), 2 * count, 3 * count).rows(torch.tensor([2, 0]))
    assert all(each.tolist() == [2.0, 0.0] for each in some.steps)
    assert some.advantages.tolist() == [4.0, 0.0] and some.returns.tolist() == [6.0, 0.0]
