"""Tuning picks what is best on validation data, after the update."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ros_mbmrl.adaptation import make_rule
from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.dynamics.mlp import Parameters
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.training import tune as module
from ros_mbmrl.training.segments import Transitions
from ros_mbmrl.training.tune import GRIDS, tune


def test_the_lowest_error_wins(
    prior: tuple[DynamicsModel, Parameters], make_rollouts: Callable[..., list[Rollout]]
) -> None:
    model, parameters = prior
    data = Transitions.of(model.robot, make_rollouts(4, seed=3))
    options, record = tune("residual", model, parameters, data, 8, 3)
    assert [row["gain"] for row in record] == list(GRIDS["residual"]["gain"])
    best = min(record, key=lambda row: row["error"])
    assert options == {"gain": best["gain"]}
    assert len({row["error"] for row in record}) == len(record)


def test_options_that_are_not_tuned_stay(
    prior: tuple[DynamicsModel, Parameters], make_rollouts: Callable[..., list[Rollout]]
) -> None:
    model, parameters = prior
    data = Transitions.of(model.robot, make_rollouts(2, seed=3))
    given = {"limit": 1.0, "gain": 0.9}
    options, _ = tune("residual", model, parameters, data, 8, 3, given)
    assert options["limit"] == 1.0
    assert options["gain"] in GRIDS["residual"]["gain"]


@pytest.mark.parametrize("method", GRIDS)
def test_every_setting_of_the_grids_is_possible(method: str) -> None:
    for name, values in module.GRIDS[method].items():
        for value in values:
            make_rule(method, {name: value})
