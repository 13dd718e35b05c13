"""PE-PPO: it learns, tells tasks apart, comes back from its folder and from its checkpoint."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Generator

from ros_mbmrl.errors import UserError
from ros_mbmrl.learning.policies.pe_ppo import PEPPOConfig, PEPPOLearner, train_pe_ppo
from ros_mbmrl.policies.files import load_policy, save_policy
from ros_mbmrl.policies.sampling import Discounts, Tasks

SMALL = PEPPOConfig(
    budget=3600,
    tasks=6,
    horizon=20,
    history=5,
    units=2,
    encoder=(16,),
    hidden=(32,),
    epochs=5,
    minibatch=60,
    learning_rate=3e-3,
    discounts=Discounts(0.9, 0.95),
)


def test_sliders_learn_to_park(sliders: Tasks) -> None:
    returns = [point.mean_return for point in train_pe_ppo(sliders, SMALL).curve]
    assert sum(returns[-3:]) / 3 > 0.5 * sum(returns[:3]) / 3  # they are negative: half the cost


def test_value_trains_the_encoder_and_the_surrogate_does_not(sliders: Tasks) -> None:
    learner = PEPPOLearner(sliders, SMALL)
    batch = learner._judged(
        learner._gather(sliders, np.random.default_rng(0), Generator().manual_seed(0))
    )
    learned = {n: v.clone().requires_grad_() for n, v in learner._learned.items()}
    terms = learner.terms(learned, batch)
    # At the policy that acted the ratio is 1, and standardised advantages have mean 0.
    assert terms["surrogate"].item() == pytest.approx(0.0, abs=1e-5)
    encoder = learned["posterior.w0"]
    grads = torch.autograd.grad(terms["surrogate"], [learned["w0"], encoder], allow_unused=True)
    assert grads[0].abs().max() > 0 and grads[1] is None
    (by_value,) = torch.autograd.grad(terms["value_error"], encoder, retain_graph=True)
    (by_divergence,) = torch.autograd.grad(terms["divergence"], encoder)
    assert by_value.abs().max() > 0 and by_divergence.abs().max() > 0


def test_the_first_actions_spread_as_configured(sliders: Tasks) -> None:
    learner = PEPPOLearner(sliders, replace(SMALL, log_std=-1.5))
    _, log_std = learner.inner.moments(learner._learned, torch.zeros(1, 4))
    assert log_std.item() == pytest.approx(-1.5, abs=0.2)


def test_the_second_episode_knows_the_first(sliders: Tasks) -> None:
    learner = PEPPOLearner(sliders, SMALL)
    first, second = learner._gather(sliders, np.random.default_rng(0), Generator().manual_seed(0))
    begun = [learner.layout.parts(each.steps.rows[0]) for each in (first, second)]
    assert not begun[0].valid.any()
    # All but the last transition, whose successor the new episode's observation is not.
    assert begun[1].valid.tolist() == [[1.0, 1.0, 1.0, 1.0, 0.0]] * SMALL.tasks
    last = learner.layout.parts(first.steps.rows[-1]).past
    torch.testing.assert_close(begun[1].past[:, :4], last[:, 1:])
    assert (second.steps.noise[0] == second.steps.noise[-1]).all()  # one draw an episode
    assert (second.steps.noise[0] != first.steps.noise[0]).all()


def test_its_policy_comes_back_and_acts_on_the_posterior_mean(
    sliders: Tasks, tmp_path: Path
) -> None:
    trained = train_pe_ppo(sliders, replace(SMALL, budget=240))
    assert not any(name.startswith("value") for name in trained.parameters)
    save_policy(tmp_path, sliders.robot, trained, {"method": "pe_ppo"})
    loaded = load_policy(tmp_path, sliders.robot)
    seen = torch.rand(5, 2 + 5 * (2 + 1 + 1))
    one = trained.policy.means(trained.parameters, seen)
    assert torch.equal(loaded.policy.means(loaded.parameters, seen), one)
    seen[:, 2:] = 0  # no history
    assert not torch.allclose(trained.policy.means(trained.parameters, seen), one)


def test_an_interrupted_run_ends_as_an_uninterrupted_one(sliders: Tasks, tmp_path: Path) -> None:
    whole = train_pe_ppo(sliders, replace(SMALL, budget=720))
    train_pe_ppo(sliders, replace(SMALL, budget=480), tmp_path)
    resumed = train_pe_ppo(sliders, replace(SMALL, budget=720), tmp_path)
    assert resumed.curve == whole.curve
    for name, value in whole.parameters.items():
        assert torch.equal(value, resumed.parameters[name])


def test_bad_settings(sliders: Tasks) -> None:
    with pytest.raises(ValueError, match="history: expected at least 1, got 0"):
        PEPPOConfig(history=0)
    with pytest.raises(ValueError, match="clip from 0 to 1"):
        PEPPOConfig(clip=1.5)
    with pytest.raises(ValueError, match="learning_rate > 0"):
        PEPPOConfig(learning_rate=0.0)
    with pytest.raises(UserError, match="robot 'slider' has goals"):
        PEPPOLearner(replace(sliders, goals=3), SMALL)
