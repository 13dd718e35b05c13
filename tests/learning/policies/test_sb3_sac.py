"""SAC by Stable-Baselines3: it learns, goes on where it was, and its actor is one of ours."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from ros_mbmrl.learning.policies.sb3_sac import (
    SB3SACConfig,
    environment_and_sac,
    exported,
    train_sb3_sac,
)
from ros_mbmrl.learning.policies.soft import SoftConfig
from ros_mbmrl.policies.sampling import Tasks

pytest.importorskip("stable_baselines3")

SOFT = SoftConfig(hidden=(32,), rows=64, learning_rate=3e-3, discount=0.95)
SMALL = SB3SACConfig(budget=960, worlds=4, horizon=20, first=160, soft=SOFT)


def test_a_slider_learns_to_park(sliders: Tasks) -> None:
    curve = train_sb3_sac(sliders, SMALL).curve
    returns = [point.mean_return for point in curve]
    assert [point.transitions for point in curve] == list(range(80, 961, 80))
    assert sum(returns[-3:]) / 3 > 0.5 * sum(returns[:2]) / 2  # they are negative: half the cost


@pytest.mark.parametrize("entropy", [-1.0, None])
def test_a_run_that_goes_on_is_the_run_that_was_not_broken_off(
    sliders: Tasks, tmp_path: Path, entropy: float | None
) -> None:
    soft = replace(SOFT, entropy=entropy, temperature=0.2)
    config = replace(SMALL, budget=320, first=100, soft=soft, size=200)
    whole = train_sb3_sac(sliders, config)
    train_sb3_sac(sliders, replace(config, budget=80), tmp_path)
    second = train_sb3_sac(sliders, config, tmp_path)
    assert second.curve == whole.curve
    assert all(torch.equal(second.parameters[n], v) for n, v in whole.parameters.items())


@pytest.mark.parametrize("activation", ["silu", "tanh"])
def test_its_actor_acts_as_ours(sliders: Tasks, activation: str) -> None:
    soft = replace(SOFT, activation=activation)
    _, model = environment_and_sac(sliders, replace(SMALL, soft=soft), 0)
    policy, parameters = exported(model)
    seen = torch.randn(7, 2)
    mean, log_std, _ = model.actor.get_action_dist_params(seen)
    found = policy.moments(parameters, seen)
    assert torch.allclose(found[0], mean, atol=1e-6)
    assert torch.allclose(found[1], log_std, atol=1e-6)
