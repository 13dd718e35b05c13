"""PPO by Stable-Baselines3: it learns, and goes on where it was."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from ros_mbmrl.learning.policies.ppo import PPOConfig, train_ppo
from ros_mbmrl.policies.sampling import Tasks

pytest.importorskip("stable_baselines3")

CONFIG = PPOConfig(
    budget=8_000, worlds=20, rounds=2, horizon=20, hidden=(32, 32), learning_rate=3e-3, seed=3
)


def test_a_point_learns_to_go_to_the_goal(one_goal: Tasks) -> None:
    curve = train_ppo(one_goal, CONFIG).curve
    assert [point.transitions for point in curve] == list(range(800, 8_001, 800))
    assert curve[-1].mean_return > curve[0].mean_return + 10


def test_a_run_that_goes_on_is_the_run_that_was_not_broken_off(
    one_goal: Tasks, tmp_path: Path
) -> None:
    config = replace(CONFIG, budget=3200)
    whole = train_ppo(one_goal, config)
    assert len(train_ppo(one_goal, replace(config, budget=1600), tmp_path).curve) == 2
    second = train_ppo(one_goal, config, tmp_path)
    assert second.curve == whole.curve
    assert all(torch.equal(second.parameters[n], v) for n, v in whole.parameters.items())


def test_wrong_settings_are_refused() -> None:
    for wrong in ({"budget": 0}, {"minibatch": 0}, {"clip": 0.0}):
        with pytest.raises(ValueError, match="expected"):
            PPOConfig(**wrong)
