"""Trials of agents, and the contexts that are made of their transitions."""

from __future__ import annotations

import numpy as np
import torch
from torch import Generator

from ros_mbmrl.agents.chance import RandomAgent
from ros_mbmrl.learning.models.elbo import TaskData
from ros_mbmrl.learning.policies.trials import (
    Trials,
    contexts,
    joined,
    run_trials,
    tasks_of,
    tensors_of,
)
from ros_mbmrl.policies.sampling import Tasks


def rows(count: int, value: float) -> TaskData:
    own = torch.full((count, 2), value)
    return TaskData(own + torch.arange(count)[:, None], torch.full((count, 1), value), own)


def test_transitions_follow_each_other(sliders: Tasks) -> None:
    environment = sliders.make([None, None], [0, 1])  # type: ignore[list-item]
    trials = run_trials(environment, RandomAgent(6), 6, [0, 1])
    assert trials.states.shape == (7, 2, 2) and trials.returns.shape == (2,)
    found = trials.rows([0, 1])
    assert found.states.shape == (12, 2) and found.actions.shape == (12, 1)
    torch.testing.assert_close(found.following[:5], found.states[1:6])
    speed = 0.8 * found.states[:, 1] + 0.4 * found.actions[:, 0]
    torch.testing.assert_close(found.following[:, 1], speed)


def test_what_comes_after_the_end_is_no_transition() -> None:
    states = np.arange(8.0).reshape(4, 1, 2)
    going = np.array([[True], [True], [False]])
    trials = Trials(states, np.zeros((3, 1, 1)), np.zeros((3, 1)), going)
    assert trials.rows([0]).states.tolist() == [[0.0, 1.0], [2.0, 3.0]]


def test_a_context_is_padded_without_weight() -> None:
    context = contexts([rows(2, 5.0), rows(4, 7.0)], 3)
    assert context.states.shape == (2, 3, 2) and context.actions.shape == (2, 3, 1)
    assert context.weight.tolist() == [[1, 1, 0], [1, 1, 1]]
    assert context.states[0, :, 0].tolist() == [5.0, 6.0, 0.0]


def test_a_context_is_drawn_without_repeats() -> None:
    context = contexts([rows(20, 0.0)], 10, Generator().manual_seed(0))
    drawn = context.states[0, :, 0].tolist()
    assert len(set(drawn)) == 10 and drawn != sorted(drawn)


def test_tasks_come_back_from_a_checkpoint() -> None:
    tasks = [rows(2, 5.0), rows(3, 7.0)]
    back = tasks_of(tensors_of(tasks))
    for one, other in zip(tasks, back, strict=True):
        assert all(torch.equal(*pair) for pair in zip(one, other, strict=True))
    assert tasks_of(tensors_of([])) == []
    assert len(joined(tasks).states) == 5
