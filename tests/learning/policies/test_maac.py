"""Algorithm 5 on a slider: it parks with few real transitions, and resumes as if never stopped."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from ros_mbmrl.errors import UserError
from ros_mbmrl.learning.policies.branched import BranchConfig
from ros_mbmrl.learning.policies.maac import PRESETS, MAACConfig, config_of, train_maac
from ros_mbmrl.learning.policies.model_based import MODEL
from ros_mbmrl.learning.policies.soft import SoftConfig
from ros_mbmrl.policies.sampling import Tasks

SOFT = SoftConfig(hidden=(32,), rows=64, learning_rate=3e-3, discount=0.95, temperature=0.1)
FIT = replace(
    MODEL,
    hidden=(32, 32),
    members=3,
    elites=2,
    supervised_steps=200,
    learning_rate=5e-3,
    validate_every=50,
    rows=128,
    batch=32,
)


def small(method: str, iterations: int = 6) -> MAACConfig:
    return replace(
        config_of(method),
        budget=80 * iterations,
        worlds=4,
        horizon=20,
        first=80,
        every=20,
        branches=BranchConfig(rows=200),
        soft=SOFT,
        model=FIT,
    )


@pytest.mark.parametrize("method", PRESETS)
def test_a_slider_learns_to_park(sliders: Tasks, method: str) -> None:
    iterations = {"maac": 4, "mbpo": 6, "steve_sac": 12}[method]  # the last has no imagined data
    trained = train_maac(sliders, small(method, iterations))
    returns = [point.mean_return for point in trained.curve]
    assert sum(returns[-2:]) / 2 > returns[0] / 2  # they are negative: half the cost by chance
    assert trained.model is not None


def test_it_goes_on_from_a_checkpoint_as_if_it_had_not_stopped(
    sliders: Tasks, tmp_path: Path
) -> None:
    fit = replace(FIT, supervised_steps=50)
    config = replace(small("maac", 3), every=30, learned_reward=True, updates=1, model=fit)
    whole = train_maac(sliders, config)
    train_maac(sliders, replace(config, budget=160), tmp_path)
    resumed = train_maac(sliders, config, tmp_path)
    assert resumed.curve == whole.curve
    for name, value in whole.parameters.items():
        assert torch.equal(value, resumed.parameters[name])
    with pytest.raises(UserError, match="of another run: steps is 3, expected 0"):
        train_maac(sliders, replace(config, steps=0), tmp_path)


def test_bad_settings() -> None:
    with pytest.raises(ValueError, match=r"branches.length: expected at least 1, got 0"):
        MAACConfig(branches=BranchConfig(length=0))
    with pytest.raises(ValueError, match="steps, expansion of 0 or more, and samples of 1"):
        MAACConfig(samples=0)
    with pytest.raises(ValueError, match="method: expected one of maac, mbpo, steve_sac, got 'me'"):
        MAACConfig(method="me")
