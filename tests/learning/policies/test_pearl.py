"""PEARL: an encoder that the critics train, a policy that comes back, and an interrupted run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Generator

from ros_mbmrl.learning.policies.pearl import PearlConfig, PearlLearner, train_pearl
from ros_mbmrl.learning.policies.soft import SoftConfig
from ros_mbmrl.policies.files import load_policy, save_policy
from ros_mbmrl.policies.sampling import Tasks

SOFT = SoftConfig(hidden=(32,), rows=64, learning_rate=3e-3, discount=0.95)
SMALL = PearlConfig(
    budget=1200, worlds=4, horizon=20, first=160, soft=SOFT, history=4, encoder=(16,), units=2
)


@pytest.mark.slow
def test_a_slider_learns_to_park(sliders: Tasks) -> None:
    curve = train_pearl(sliders, SMALL).curve
    returns = [point.mean_return for point in curve]
    assert sum(returns[-3:]) / 3 > 0.5 * sum(returns[:2]) / 2  # they are negative: half the cost


def test_the_critics_train_the_encoder_and_the_policy_does_not(sliders: Tasks) -> None:
    learner = PearlLearner(sliders, replace(SMALL, first=10_000))
    for _ in range(2):
        learner.update(sliders, Generator())  # by chance: nothing is learned
    before = {name: value.clone() for name, value in learner.soft.parameters.items()}
    batch = learner.real(64, Generator().manual_seed(0))
    scalars = learner.soft.update(batch, Generator().manual_seed(0))
    after = learner.soft.parameters
    assert scalars["divergence"] > 0
    assert not torch.equal(before["posterior.w0"], after["posterior.w0"])
    still = learner.soft.parameters["posterior.w0"].clone()
    loss, _ = learner.soft._policy_loss(torch.randn(8, 4), Generator())
    assert loss.requires_grad
    assert torch.equal(still, learner.soft.parameters["posterior.w0"])


def test_its_policy_comes_back_and_acts_on_the_posterior_mean(
    sliders: Tasks, tmp_path: Path
) -> None:
    trained = train_pearl(sliders, replace(SMALL, budget=240))
    save_policy(tmp_path, sliders.robot, trained, {"method": "pearl"})
    loaded = load_policy(tmp_path, sliders.robot)
    seen = torch.rand(5, 2 + 4 * (2 + 1 + 1))
    one = trained.policy.means(trained.parameters, seen)
    assert torch.equal(loaded.policy.means(loaded.parameters, seen), one)
    other = seen.clone()
    other[:, 2:] = 0  # no history
    assert not torch.allclose(trained.policy.means(trained.parameters, other), one)


def test_an_interrupted_run_ends_as_an_uninterrupted_one(sliders: Tasks, tmp_path: Path) -> None:
    whole = train_pearl(sliders, replace(SMALL, budget=240))
    train_pearl(sliders, replace(SMALL, budget=160), tmp_path)
    resumed = train_pearl(sliders, replace(SMALL, budget=240), tmp_path)
    assert resumed.curve == whole.curve
    for name, value in whole.parameters.items():
        assert torch.equal(value, resumed.parameters[name])


def test_bad_settings() -> None:
    with pytest.raises(ValueError, match="weight of 0 or more"):
        PearlConfig(divergence=-1.0)
