"""A bounded memory: what is old goes, what is drawn belongs together."""

from __future__ import annotations

import pytest
import torch
from torch import Generator

from ros_mbmrl.learning.policies.replay import Batch, Replay


def numbered(first: int, count: int) -> Batch:
    """Transitions whose every number tells which one it is."""
    n = torch.arange(first, first + count, dtype=torch.float32)
    return Batch(n[:, None].expand(-1, 2), n[:, None], 10 * n, n[:, None].expand(-1, 2) + 1, n % 2)


def held(replay: Replay) -> set[int]:
    return {int(each) for each in replay.draw(500, Generator().manual_seed(0)).actions[:, 0]}


def test_the_oldest_makes_room() -> None:
    replay = Replay(5, observations=2, actions=1)
    replay.add(numbered(0, 3))
    assert (len(replay), held(replay)) == (3, {0, 1, 2})
    replay.add(numbered(3, 4))
    assert (len(replay), held(replay)) == (5, {2, 3, 4, 5, 6})
    replay.add(numbered(7, 12))
    assert (len(replay), held(replay)) == (5, {14, 15, 16, 17, 18})


def test_numbers_of_a_transition_stay_together() -> None:
    replay = Replay(8, observations=2, actions=1)
    replay.add(numbered(0, 11))
    drawn = replay.draw(64, Generator().manual_seed(1))
    n = drawn.actions[:, 0]
    assert torch.equal(drawn.observations, n[:, None].expand(-1, 2))
    assert torch.equal(drawn.following, n[:, None].expand(-1, 2) + 1)
    assert torch.equal(drawn.rewards, 10 * n)
    assert torch.equal(drawn.terminated, n % 2)


def test_it_takes_the_memory_that_it_says() -> None:
    assert Replay(1000, observations=17, actions=6).bytes == 1000 * (17 + 6 + 1 + 17 + 1) * 4


def test_a_snapshot_brings_it_back() -> None:
    replay, other = Replay(5, 2, 1), Replay(5, 2, 1)
    replay.add(numbered(0, 7))
    other.restore(replay.snapshot())
    for each in (replay, other):
        each.add(numbered(20, 1))
    assert held(replay) == held(other) == {3, 4, 5, 6, 20}


def test_bad_input() -> None:
    with pytest.raises(ValueError, match="room for a transition"):
        Replay(0, 2, 1)
    with pytest.raises(ValueError, match="has none"):
        Replay(3, 2, 1).draw(1, Generator())
