"""A reward that is learned from transitions."""

from __future__ import annotations

import torch
from torch import Generator

from ros_mbmrl.learning.policies.learned_reward import LearnedReward
from ros_mbmrl.learning.policies.replay import Batch, Replay
from ros_mbmrl.learning.run import copied
from tests.learning.policies.conftest import Slider


def parked(states: torch.Tensor) -> torch.Tensor:
    return -(states[:, 0] - 1.0).square()


def filled() -> Replay:
    generator = Generator().manual_seed(0)
    states, after = torch.randn(2000, 2, generator=generator), torch.randn(2000, 2)
    replay = Replay(2000, 2, 1)
    actions = 2 * torch.rand(2000, 1, generator=generator) - 1
    replay.add(Batch(states, actions, parked(after), after, torch.zeros(2000)))
    return replay


def test_it_learns_where_to_park_and_how_that_changes() -> None:
    reward, replay = LearnedReward(Slider(), seed=0), filled()
    first = reward.fit(replay, Generator().manual_seed(1))
    assert reward.fit(replay, Generator().manual_seed(2)) < max(first, 0.01)
    after = torch.tensor([[-0.5, 0.2], [0.3, -1.0], [1.0, 0.4]], requires_grad=True)
    found = reward(torch.zeros(3, 2), torch.zeros(3, 1), after)
    assert torch.allclose(found, parked(after), atol=0.25)
    (slope,) = torch.autograd.grad(found.sum(), after)
    assert torch.allclose(slope[:, 0], -2 * (after[:, 0] - 1.0), atol=0.6)


def test_a_snapshot_brings_it_back() -> None:
    reward, other, replay = LearnedReward(Slider(), 0), LearnedReward(Slider(), 1), filled()
    reward.fit(replay, Generator().manual_seed(1))
    other.restore(copied(reward.snapshot()))
    for each in (reward, other):
        each.fit(replay, Generator().manual_seed(2))
    rows = torch.randn(5, 2), torch.zeros(5, 1), torch.randn(5, 2)
    assert torch.equal(reward(*rows), other(*rows))
