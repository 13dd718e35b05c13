"""Algorithms 1 and 2 on a slider: it gets better in reality by imagination alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from ros_mbmrl.errors import UserError
from ros_mbmrl.learning.policies.me_config import ENSEMBLE, ONE_MODEL, MEConfig, config_of
from ros_mbmrl.learning.policies.me_trpo import train_me
from ros_mbmrl.learning.policies.real_data import gather
from ros_mbmrl.learning.policies.steps import StepConfig
from ros_mbmrl.learning.policies.trust_region import TrustRegion
from ros_mbmrl.learning.policies.validation import ValidationConfig
from ros_mbmrl.networks.mlp import MLP
from ros_mbmrl.policies.gaussian import GaussianPolicy, for_tasks
from ros_mbmrl.policies.sampling import Tasks


def without_force(tasks: Tasks) -> float:
    """Return the mean return of a policy that does nothing."""
    policy = GaussianPolicy(MLP((2, 1)), torch.zeros(2), torch.ones(2))
    still = {"w0": torch.zeros(2, 1), "b0": torch.zeros(1), "log_std": torch.full((1,), -30.0)}
    own = (policy, for_tasks(still, 64), 30, np.random.default_rng(0), "still")
    return float(gather(tasks, *own).returns.mean())


def small(method: str, iterations: int = 2, members: int = 3) -> MEConfig:
    base = config_of(method)
    model = replace(
        base.model,
        hidden=(32, 32),
        members=members if method in ENSEMBLE else 1,
        supervised_steps=200,
        learning_rate=5e-3,
        validate_every=50,
        rows=128,
        batch=32,
    )
    return replace(
        base,
        episodes=8,
        horizon=30,
        budget=8 * 30 * iterations,
        rows=20,
        hidden=(16,),
        largest_std=1.0,
        model=model,
        step=StepConfig(TrustRegion(max_kl=0.05), learning_rate=1e-2),
        validation=ValidationConfig(updates=30, tolerance=10, episodes=8),
    )


@pytest.mark.parametrize("method", [*ENSEMBLE, *ONE_MODEL])
def test_a_slider_learns_to_park_in_its_models(sliders: Tasks, method: str) -> None:
    trained = train_me(sliders, small(method))
    last = trained.curve[-1]
    assert last.transitions == 480
    assert last.mean_return > without_force(sliders) / 3  # both are below 0, the best at about -4
    assert trained.model is not None


def test_it_goes_on_from_a_checkpoint_as_if_it_had_not_stopped(
    sliders: Tasks, tmp_path: Path
) -> None:
    config = small("me_trpo")
    whole = train_me(sliders, config)
    first = train_me(sliders, replace(config, budget=config.batch), tmp_path)
    assert len(first.curve) == 1
    for run in (train_me(sliders, config, tmp_path), train_me(sliders, config, tmp_path)):
        assert run.curve == whole.curve
        assert all(torch.equal(run.parameters[n], v) for n, v in whole.parameters.items())
        assert torch.equal(run.policy.mean, whole.policy.mean)
        assert run.model is not None and whole.model is not None
        assert all(torch.equal(run.model[1][n], v) for n, v in whole.model[1].items())
        assert torch.equal(run.model[0].normalizer.input_std, whole.model[0].normalizer.input_std)
    with pytest.raises(UserError, match="of another run: scheme is 'step_rand', expected"):
        train_me(sliders, replace(config, scheme="model_mean"), tmp_path)


def test_progress_is_told_once_an_iteration(sliders: Tasks) -> None:
    told: list[tuple[str, int, int]] = []
    config = replace(small("me_trpo", 1), starts="visited", scheme="model_med", largest_std=0.0)
    train_me(sliders, config, None, lambda *what: told.append(what[:3]))
    assert told == [("me_trpo", 1, 1)]
