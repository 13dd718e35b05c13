"""Costs and rewards of several robots, each by its own task: by hand."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from ros_mbmrl.robots.task import (
    Finishing,
    Measured,
    Weighted,
    cost_each,
    is_stationary,
    rewards_each,
)

CPU = torch.device("cpu")


class Near:
    """Be near `goal`: the reference counts the calls, the cost is distance and effort."""

    def __init__(self, goal: float, batched: bool) -> None:
        self.goal, self.batched, self.asked = goal, batched, 0

    def reference(self, state: NDArray[np.float64]) -> Tensor:
        self.asked += 1
        return torch.tensor([self.goal + float(state[0])])

    def cost(self, states: Tensor, actions: Tensor, reference: Tensor) -> Tensor:
        apart = states[..., 1:, 0] - reference[..., None, :]
        return apart.abs().sum(-1) + 0.5 * actions.square().sum((-2, -1))


# Two robots, two plans each, two periods.
STATES = torch.tensor([[[0.0, 1, 3], [0, 2, 2]], [[5, 5, 5], [5, 6, 7]]])[..., None]
ACTIONS = torch.tensor([[[1.0, 1], [0, 2]], [[0, 0], [2, 0]]])[..., None]
NOW = np.array([[0.0], [5.0]])


@pytest.mark.parametrize("batched", [True, False])
def test_each_robot_is_judged_by_its_own_task(batched: bool) -> None:
    tasks = [Near(2.0, batched), Near(1.0, batched)]
    cost = cost_each(tasks, NOW, CPU)
    # Goals at 2 and at 5 + 1: |1-2| + |3-2| + 1, 0 + 2; |5-6| + |5-6|, |6-6| + |7-6| + 2.
    assert cost(STATES, ACTIONS).tolist() == [[3.0, 2.0], [2.0, 3.0]]
    assert cost(STATES, ACTIONS).shape == (2, 2)
    assert [task.asked for task in tasks] == [1, 1]  # progress is made once, not for each plan


def test_a_reward_is_the_negative_cost_of_a_period() -> None:
    tasks = [Near(2.0, True), Near(1.0, True)]
    rewards = rewards_each(tasks, NOW, np.array([[1.0], [2.0]]), np.array([[1.5], [9.0]]))
    assert rewards.tolist() == [-(0.5 + 0.5), -(3.0 + 2.0)]
    assert rewards.dtype == np.float64


def test_there_is_a_task_for_each_robot() -> None:
    with pytest.raises(ValueError, match="shorter|longer"):
        cost_each([Near(2.0, True)], NOW, CPU)


@pytest.mark.parametrize(
    ("protocol", "attribute"),
    [(Finishing, "finished"), (Measured, "measured"), (Weighted, "weights")],
)
def test_what_a_task_can_do_beside_its_cost_is_found(protocol: Any, attribute: str) -> None:
    assert isinstance(SimpleNamespace(**{attribute: lambda: None}), protocol)
    assert not isinstance(Near(2.0, True), protocol)
    assert not is_stationary(Near(2.0, True))
