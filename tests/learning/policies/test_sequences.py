"""Replay of sequences: whose history a transition has."""

from __future__ import annotations

import pytest
import torch
from torch import Generator, Tensor

from ros_mbmrl.learning.policies.replay import Batch
from ros_mbmrl.learning.policies.sequences import Sequences
from ros_mbmrl.networks.history import Histories
from ros_mbmrl.policies.sampling import Tasks

LAYOUT = Histories(2, 1, 3, rewards=True)


def _steps(values: list[float]) -> Batch:
    v = torch.tensor(values)
    states = torch.stack([v, v], dim=1)
    return Batch(states, v[:, None] / 100, 10 * v, states + 1, torch.zeros(len(v)))


def _past(memory: Sequences, number: int) -> tuple[Tensor, Tensor]:
    now, past, valid = LAYOUT.parts(memory.at(torch.tensor([number])).observations[:, 2:])
    return past[0], valid[0]


def test_histories_are_of_the_own_world_and_episode(sliders: Tasks) -> None:
    memory = Sequences(100, sliders.robot, LAYOUT)
    memory.begin(2)
    for k in range(5):
        memory.add(_steps([k, 50 + k]))  # numbers 2 k and 2 k + 1
    memory.begin(1)
    memory.add(_steps([90.0]))
    past, valid = _past(memory, 9)
    assert past[:, 0].tolist() == [51.0, 52.0, 53.0]
    torch.testing.assert_close(past[-1], torch.tensor([53.0, 53.0, 0.53, 530.0]))
    assert valid.tolist() == [1.0, 1.0, 1.0]
    past, valid = _past(memory, 2)
    assert valid.tolist() == [0.0, 0.0, 1.0]
    assert past[2, 0] == 0.0
    assert _past(memory, 10)[1].tolist() == [0.0, 0.0, 0.0]  # another episode's first one


def test_a_world_that_is_over_adds_nothing(sliders: Tasks) -> None:
    memory = Sequences(100, sliders.robot, LAYOUT)
    memory.begin(2)
    memory.add(_steps([0.0, 50.0]))
    memory.add(_steps([51.0]), torch.tensor([1]))
    past, valid = _past(memory, 2)
    assert past[2, 0] == 50.0
    assert valid.sum() == 1


def test_what_made_room_is_in_no_history(sliders: Tasks) -> None:
    memory = Sequences(4, sliders.robot, LAYOUT)
    memory.begin(1)
    for k in range(7):
        memory.add(_steps([float(k)]))
    assert len(memory) == 4
    assert memory.numbers.tolist() == [3, 4, 5, 6]
    past, valid = _past(memory, 5)
    assert (past[:, 0] * valid).tolist() == [0.0, 3.0, 4.0]
    assert valid.tolist() == [0.0, 1.0, 1.0]


def test_a_transition_moves_the_history_on(sliders: Tasks) -> None:
    memory = Sequences(100, sliders.robot, LAYOUT)
    memory.begin(1)
    for k in range(6):
        memory.add(_steps([float(k)]))
    batch = memory.at(torch.tensor([4]))
    assert batch.observations[0, :2].tolist() == [4.0, 4.0]  # the state
    assert batch.following[0, :2].tolist() == [5.0, 5.0]
    now, past, valid = LAYOUT.parts(batch.following[:, 2:])
    assert now[0, 0] == 5.0
    assert past[0, :, 0].tolist() == [2.0, 3.0, 4.0]
    whole = LAYOUT.parts(memory.at(torch.tensor([5])).observations[:, 2:])
    torch.testing.assert_close(past, whole.past)
    assert batch.rewards.item() == 40.0


def test_it_knows_where_episodes_begin(sliders: Tasks) -> None:
    memory = Sequences(6, sliders.robot, LAYOUT)
    for _ in range(2):
        memory.begin(2)
        for k in range(2):
            memory.add(_steps([k, 50.0 + k]))
    assert memory.beginnings.tolist() == [4, 5]  # 0 and 1 made room


def test_it_goes_on_from_a_snapshot(sliders: Tasks) -> None:
    memory, other = (Sequences(5, sliders.robot, LAYOUT) for _ in range(2))
    memory.begin(1)
    for k in range(8):
        memory.add(_steps([float(k)]))
    other.restore({name: value.clone() for name, value in memory.snapshot().items()})
    for each in (memory, other):
        each.add(_steps([8.0]))
    one, two = (each.at(each.drawn(20, Generator().manual_seed(3))) for each in (memory, other))
    assert torch.equal(one.observations, two.observations)
    assert torch.equal(one.following, two.following)


def test_an_empty_one_is_refused(sliders: Tasks) -> None:
    with pytest.raises(ValueError, match="expected transitions, has none"):
        Sequences(5, sliders.robot, LAYOUT).drawn(1, Generator())
    with pytest.raises(ValueError, match="room for a transition"):
        Sequences(0, sliders.robot, LAYOUT)
