"""Parts that the outside baselines share."""

from __future__ import annotations

import sys

import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.learning.policies.ppo import PPOConfig, train_ppo
from ros_mbmrl.learning.policies.sb3 import steps_and_batch
from ros_mbmrl.policies.sampling import Tasks


def test_a_minibatch_divides_the_iteration() -> None:
    config = PPOConfig(worlds=6, horizon=35, rounds=2)
    assert steps_and_batch(config, 64) == {"n_steps": 70, "batch_size": 60}


def test_what_is_not_installed_is_named(one_goal: Tasks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "stable_baselines3.common.vec_env", None)
    with pytest.raises(UserError, match="need the extra `rl`"):
        train_ppo(one_goal, PPOConfig())
