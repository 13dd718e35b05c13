"""A policy's training: as many iterations as the budget has room for, and a curve of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch
from torch import Generator, Tensor

from ros_mbmrl.errors import UserError
from ros_mbmrl.learning.policies.maml_rl import MAMLConfig
from ros_mbmrl.learning.policies.training import PolicyMethod, train_policy, updated
from ros_mbmrl.policies.sampling import Tasks


@dataclass(frozen=True)
class Settings:
    budget: int = 40
    batch: int = 10


class Counting:
    """Returns as many as it has seen updates."""

    def __init__(self) -> None:
        self.rate, self.count = 1.0, 0

    def update(self, store: Tasks, generator: Generator) -> dict[str, float]:
        self.count += 1
        return {"before": -1.0, "after": float(self.count)}

    def snapshot(self) -> dict[str, Tensor]:
        return {"count": torch.tensor(self.count)}

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        self.count = int(tensors["count"])


def test_a_longer_budget_goes_on_and_a_shorter_one_adds_nothing(
    one_goal: Tasks, tmp_path: Path
) -> None:
    first, second, third = Counting(), Counting(), Counting()
    curve = train_policy("counting", one_goal, Settings(), first, tmp_path)
    assert [(p.transitions, p.mean_return, p.mean_return_before) for p in curve] == [
        (10 * k, float(k), -1.0) for k in (1, 2, 3, 4)
    ]
    longer = train_policy("counting", one_goal, Settings(60), second, tmp_path)
    assert longer[:4] == curve and len(longer) == second.count == 6
    assert train_policy("counting", one_goal, Settings(10), third, tmp_path) == longer
    assert third.count == 6
    other = replace(Settings(), batch=20)
    with pytest.raises(UserError, match="of another run: batch is 10, expected 20"):
        train_policy("counting", one_goal, other, Counting(), tmp_path)


def test_who_waits_is_told_of_every_iteration(one_goal: Tasks) -> None:
    told: list[tuple[int, int]] = []
    train_policy(
        "counting", one_goal, Settings(), Counting(), None, lambda _, k, n, __: told.append((k, n))
    )
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_settings_reach_what_stands_within_settings() -> None:
    method = PolicyMethod(MAMLConfig, lambda *_: None)  # type: ignore[arg-type, return-value]
    settings = {"inner": {"rate": 0.1, "discounts": {"decay": 1.0}}, "hidden": [8]}
    config = method.configured(4, {"horizon": 30, **settings})
    assert (config.inner.horizon, config.inner.rate, config.inner.steps) == (30, 0.1, 1)
    assert config.inner.discounts.decay == 1.0 and config.hidden == (8,) and config.seed == 4


def test_settings_that_cannot_be_are_refused() -> None:
    with pytest.raises(UserError, match="unknown setting 'rates'"):
        updated(MAMLConfig(), {"inner": {"rates": 1}})
    with pytest.raises(ValueError, match="inner: expected a mapping of settings, got 3"):
        updated(MAMLConfig(), {"inner": 3})
    with pytest.raises(ValueError, match="estimator: expected one of likelihood_ratio, lvc"):
        updated(MAMLConfig(), {"estimator": "reinforce"})
    with pytest.raises(ValueError, match="estimator 'e_maml': expected at least 1 inner step"):
        updated(MAMLConfig(), {"estimator": "e_maml", "inner": {"steps": 0}})
