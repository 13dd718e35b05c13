"""Histories: what is remembered, for how long, and what a context is of."""

from __future__ import annotations

import pytest
import torch
from torch import Generator

from ros_mbmrl.networks.history import Encoder, Histories, Parts

LAYOUT = Histories(2, 1, 3)


def test_a_history_holds_the_last_transitions_of_the_episode() -> None:
    layout = Histories(1, 1, 2, rewards=True)
    seen = layout.begun(torch.tensor([[10.0]]))
    for step in range(1, 4):
        action, reward = torch.tensor([[0.1 * step]]), torch.tensor([float(-step)])
        seen = layout.moved(seen, action, reward, torch.tensor([[10.0 + step]]))
        now, past, valid = layout.parts(seen)
        assert now.item() == 10 + step
        assert valid.sum() == min(step, 2)
        assert past[0, -1].tolist() == pytest.approx([10 + step - 1, 0.1 * step, -step])
    assert past[0, 0].tolist() == pytest.approx([11.0, 0.2, -2.0])  # the first one is forgotten
    assert torch.equal(layout.joined(now, past, valid), seen)


def test_a_context_is_that_of_a_gru_over_the_valid_transitions() -> None:
    generator = Generator().manual_seed(0)
    encoder = Encoder(LAYOUT.width, 5)
    parameters = encoder.init(generator)
    cell = torch.nn.GRU(LAYOUT.width, 5, batch_first=True)
    names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
    with torch.no_grad():
        for own, name in zip(names, ("wi", "wh", "bi", "bh"), strict=True):
            getattr(cell, own).copy_(parameters[f"gru.{name}"])
    past = torch.randn(4, 3, LAYOUT.width, generator=generator)
    valid = torch.tensor([[1.0, 1, 1], [0, 1, 1], [0, 0, 1], [0, 0, 0]])
    found = encoder.forward(parameters, Parts(past[:, 0], past, valid))
    for k, there in enumerate((3, 2, 1)):
        expected = cell(past[k : k + 1, 3 - there :])[1][0, 0]
        torch.testing.assert_close(found[k], expected, rtol=1e-5, atol=1e-6)
    assert not found[3].any()  # nothing is known of the task


def test_what_came_before_the_episode_changes_nothing() -> None:
    encoder = Encoder(LAYOUT.width)
    parameters = encoder.init(Generator().manual_seed(0))
    past, valid = torch.randn(1, 3, LAYOUT.width), torch.tensor([[0.0, 0.0, 1.0]])
    other = past.clone()
    other[:, :2] += 5
    one, two = (
        encoder.forward(parameters, Parts(each[:, 0], each, valid)) for each in (past, other)
    )
    assert torch.equal(one, two)


def test_a_history_of_no_length_is_the_observation() -> None:
    layout = Histories(2, 1, 0)
    seen = layout.begun(torch.ones(1, 2))
    after = torch.full((1, 2), 7.0)
    assert layout.size == 2
    assert torch.equal(layout.moved(seen, torch.ones(1, 1), torch.ones(1), after), after)


def test_bad_sizes() -> None:
    with pytest.raises(ValueError, match="length of 0 or more"):
        Histories(2, 1, -1)
    with pytest.raises(ValueError, match="inputs and units above 0"):
        Encoder(3, 0)
