"""Policy and critics that see histories."""

from __future__ import annotations

import pytest
import torch
from torch import Generator

from ros_mbmrl.networks.history import Encoder, Histories
from ros_mbmrl.networks.mlp import MLP
from ros_mbmrl.policies.with_history import HistoryCritics, HistoryPolicy

LAYOUT = Histories(2, 1, 3, rewards=True)


def _seen(rows: int) -> torch.Tensor:
    generator = Generator().manual_seed(1)
    seen = LAYOUT.begun(torch.randn(rows, 2, generator=generator))
    for _ in range(2):
        action, reward = torch.randn(rows, 1, generator=generator), torch.randn(rows)
        seen = LAYOUT.moved(seen, action, reward, torch.randn(rows, 2, generator=generator))
    return seen


def test_a_memory_that_is_carried_gives_the_actions_of_the_whole_history() -> None:
    policy = HistoryPolicy.of(LAYOUT, 5, (16,), "silu")
    parameters = policy.init(Generator().manual_seed(0))
    observations = torch.randn(6, 4, 2)
    seen, memory = LAYOUT.begun(observations[0]), policy.first_memory(4)
    for k in range(5):
        choice = policy.distribution(parameters, observations[k], memory)
        mean = torch.tanh(choice.actions.base_dist.base_dist.loc)  # type: ignore[attr-defined]
        torch.testing.assert_close(mean, policy.means(parameters, seen))
        actions, rewards = mean.detach(), torch.full((4,), float(k))
        memory = policy.remembered(memory, observations[k], actions, rewards)
        seen = LAYOUT.moved(seen, actions, rewards, observations[k + 1])
        assert torch.equal(seen[:, 2:], memory)


def test_the_past_changes_the_action_and_gets_a_gradient() -> None:
    policy = HistoryPolicy.of(LAYOUT, 5, (16,), "silu")
    parameters = policy.init(Generator().manual_seed(0))
    for value in parameters.values():
        value.requires_grad_()
    seen = _seen(3)
    fresh = LAYOUT.begun(seen[:, :2])
    assert not torch.allclose(policy.means(parameters, seen), policy.means(parameters, fresh))
    policy.sample(parameters, seen, torch.randn(3, 1)).actions.sum().backward()
    assert all(value.grad is not None for value in parameters.values())
    assert parameters["gru.wi"].grad is not None and parameters["gru.wi"].grad.any()


def test_each_critic_reads_the_history_by_itself() -> None:
    critics = HistoryCritics.of(LAYOUT, 5, (16,), "silu")
    parameters = critics.init(Generator().manual_seed(0))
    seen, actions = _seen(3), torch.randn(3, 1)
    both = critics.both(parameters, seen, actions)
    parts = LAYOUT.parts(seen)
    for k in range(2):
        own = {name: value[k] for name, value in parameters.items()}
        context = critics.encoder.forward(own, parts)
        alone = critics.mlp.forward(own, torch.cat([parts.now, context, actions], dim=1))[:, 0]
        torch.testing.assert_close(both[k], alone)
    assert torch.equal(critics.least(parameters, seen, actions), both.amin(dim=0))


def test_parts_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match="length of 1 or more, got 0"):
        HistoryPolicy.of(Histories(2, 1, 0), 5, (16,), "silu")
    with pytest.raises(ValueError, match="encoder of 4 inputs"):
        HistoryCritics(MLP((8, 4, 1), "silu"), LAYOUT, Encoder(3))
