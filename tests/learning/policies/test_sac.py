"""SAC on a slider, and a run that was interrupted."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from ros_mbmrl.learning.policies.sac import SACConfig, train_sac
from ros_mbmrl.learning.policies.soft import SoftConfig
from ros_mbmrl.policies.files import load_policy, save_policy
from ros_mbmrl.policies.sampling import Tasks
from ros_mbmrl.policies.squashed import SquashedPolicy

SOFT = SoftConfig(hidden=(32,), rows=64, learning_rate=3e-3, discount=0.95)
SMALL = SACConfig(budget=1200, worlds=4, horizon=20, first=160, soft=SOFT)


def test_a_slider_learns_to_park(sliders: Tasks) -> None:
    curve = train_sac(sliders, SMALL).curve
    returns = [point.mean_return for point in curve]
    assert sum(returns[-3:]) / 3 > 0.5 * sum(returns[:2]) / 2  # they are negative: half the cost


def test_an_interrupted_run_ends_as_an_uninterrupted_one(sliders: Tasks, tmp_path: Path) -> None:
    short = SACConfig(budget=240, worlds=4, horizon=20, first=80, soft=SOFT)
    whole = train_sac(sliders, SACConfig(**{**vars(short), "budget": 320}))
    train_sac(sliders, short, tmp_path)
    resumed = train_sac(sliders, SACConfig(**{**vars(short), "budget": 320}), tmp_path)
    assert resumed.curve == whole.curve
    for name, value in whole.parameters.items():
        assert torch.equal(value, resumed.parameters[name])


def test_its_policy_comes_back_from_its_folder(sliders: Tasks, tmp_path: Path) -> None:
    trained = train_sac(sliders, SACConfig(budget=80, worlds=4, horizon=20, soft=SOFT))
    save_policy(tmp_path, sliders.robot, trained, {"method": "sac"})
    loaded = load_policy(tmp_path, sliders.robot)
    assert isinstance(loaded.policy, SquashedPolicy)
    seen = torch.randn(5, 2)
    assert torch.equal(
        loaded.policy.means(loaded.parameters, seen), trained.policy.means(trained.parameters, seen)
    )


def test_bad_settings() -> None:
    with pytest.raises(ValueError, match="size: expected at least a batch, 256, got 100"):
        SACConfig(size=100)
    with pytest.raises(ValueError, match="1 or more"):
        SACConfig(updates=0)
