"""Errors and rewards in new tasks against values computed by hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pytest
import torch
from torch import Tensor

from ros_mbmrl.dynamics.latent.base import Context, ContextualModel
from ros_mbmrl.dynamics.model import Moments
from ros_mbmrl.evaluation.policies.new_tasks import by_chance, figures, model_errors
from ros_mbmrl.learning.models.elbo import TaskData
from ros_mbmrl.learning.policies.meta_testing import NewTasks
from ros_mbmrl.learning.policies.simulated_tasks import simulated_tasks
from ros_mbmrl.learning.policies.trials import contexts
from ros_mbmrl.robots.pendulum import Pendulum


@dataclass(frozen=True)
class Still:
    """Predicts that nothing moves."""

    robot = Pendulum()

    def condition(self, parameters: dict[str, Tensor], context: Context) -> Still:
        return self

    def predict(self, states: Tensor, actions: Tensor, *rest: Any) -> Moments:
        return Moments(torch.zeros(*states.shape[:2], 2), None, None)


def moved(count: int, by: float) -> TaskData:
    states = torch.zeros(count, 2)
    return TaskData(states, torch.zeros(count, 1), states + torch.tensor([by, 0.0]))


def test_the_error_is_a_mean_over_numbers_and_a_tasks_own_rows() -> None:
    held = [moved(2, 0.2), moved(5, 0.4)]
    found = model_errors(cast(ContextualModel, Still()), {}, contexts(held, 3), held)
    assert found.tolist() == pytest.approx([0.02, 0.08], rel=1e-5)  # half of 0.04 and 0.16


def test_random_rows_are_as_many_as_asked_and_the_same_for_all() -> None:
    tasks = simulated_tasks("cart-pole")
    new = NewTasks.drawn(tasks, 2, 0)
    first, second = (by_chance(tasks, new, 30, 25) for _ in range(2))
    assert [len(rows.states) for rows in first] == [30, 30]
    assert torch.equal(first[1].following, second[1].following)


def test_figures_are_means_over_seeds_and_deviations_across_tasks() -> None:
    rows = [
        {"returns": [-10.0, -20.0], "error_random": [0.1, 0.3], "error_own": [1.0, 1.0]},
        {"returns": [-20.0, -30.0], "error_random": [0.3, 0.5], "error_own": [1.0, 3.0]},
    ]
    found = figures(rows, horizon=10)
    assert found["reward"] == pytest.approx(-2.0) and found["reward_std"] == pytest.approx(0.5)
    assert found["error_random"] == pytest.approx(0.3)
    assert found["error_own_std"] == pytest.approx(np.mean([0.0, 1.0]))
    assert figures([{"returns": [-1.0]}], 1)["error_own"] is None
