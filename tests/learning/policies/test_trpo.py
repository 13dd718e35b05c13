"""TRPO by sb3-contrib: it learns, goes on where it was, and is exported as it is."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ros_mbmrl.errors import UserError
from ros_mbmrl.learning.policies.sb3 import environment_and_model, exported
from ros_mbmrl.learning.policies.trpo import TRPOConfig, learner_of, train_trpo
from ros_mbmrl.policies.sampling import Tasks

pytest.importorskip("sb3_contrib")

CONFIG = TRPOConfig(budget=8_000, worlds=20, rounds=2, horizon=20, hidden=(32, 32), seed=3)


def made(tasks: Tasks, config: TRPOConfig) -> Any:
    """sb3's learner before the first iteration."""
    return environment_and_model(tasks, config, partial(learner_of, tasks, config), done=0)[1]


def test_a_point_learns_to_go_to_the_goal(one_goal: Tasks) -> None:
    curve = train_trpo(one_goal, CONFIG).curve
    assert [point.transitions for point in curve] == list(range(800, 8_001, 800))
    assert curve[-1].mean_return > curve[0].mean_return + 10


def test_a_run_that_goes_on_is_the_run_that_was_not_broken_off(
    one_goal: Tasks, tmp_path: Path
) -> None:
    config = replace(CONFIG, budget=3200)
    whole = train_trpo(one_goal, config)
    assert len(train_trpo(one_goal, replace(config, budget=1600), tmp_path).curve) == 2
    second = train_trpo(one_goal, config, tmp_path)
    again = train_trpo(one_goal, config, tmp_path)
    for run in (second, again):
        assert run.curve == whole.curve
        assert all(torch.equal(run.parameters[n], v) for n, v in whole.parameters.items())
        assert torch.equal(run.policy.mean, whole.policy.mean)
    with pytest.raises(UserError, match="of another run: seed is 3, expected 4"):
        train_trpo(one_goal, replace(config, seed=4), tmp_path)


def test_what_is_exported_acts_as_sb3s_policy_does(one_goal: Tasks) -> None:
    model = made(one_goal, CONFIG)
    model.learn(CONFIG.batch, reset_num_timesteps=False)
    policy, parameters = exported(model)
    seen = np.random.default_rng(0).normal(0.0, 2.0, (50, 2)).astype(np.float32)
    distribution = model.policy.get_distribution(
        torch.as_tensor(model.env.normalize_obs(seen))
    ).distribution
    ours = policy.means(parameters, torch.as_tensor(seen))
    torch.testing.assert_close(ours, distribution.mean, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(parameters["log_std"].exp(), distribution.stddev[0])


def test_a_step_stays_within_the_divergence_of_all_commands_jointly(one_goal: Tasks) -> None:
    """sb3's own is the mean over commands: a step of 0.3 there would be one of 0.6 here."""
    model = made(one_goal, replace(CONFIG, max_kl=0.3))
    before = exported(model)[1]
    model.learn(CONFIG.batch, reset_num_timesteps=False)
    policy, after = exported(model)
    # In the observations that sb3 normalised as they came.
    seen = torch.as_tensor(model.rollout_buffer.observations).reshape(-1, 2)
    plain = replace(policy, mean=torch.zeros(2), std=torch.ones(2))
    kl = float(plain.divergence(after, before, seen).mean())
    assert 0.05 < kl <= 0.3


def test_wrong_settings_are_refused() -> None:
    for wrong in ({"budget": 0}, {"worlds": 0}, {"max_kl": 0.0}):
        with pytest.raises(ValueError, match="expected"):
            TRPOConfig(**wrong)
