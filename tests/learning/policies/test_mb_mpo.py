"""Algorithm 3: each model is a task; by hand, on models that contradict each other, on a slider."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Generator, Tensor

from ros_mbmrl.errors import UserError
from ros_mbmrl.learning.policies.mb_mpo import (
    MBMPOLearner,
    adapt_to_models,
    meta_step,
    train_mb_mpo,
)
from ros_mbmrl.learning.policies.mb_mpo_config import MBMPOConfig
from ros_mbmrl.learning.policies.trust_region import TrustRegion
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.policies.adapt import InnerConfig
from ros_mbmrl.policies.gaussian import GaussianPolicy
from ros_mbmrl.policies.sampling import Episodes, Tasks

POLICY = GaussianPolicy(MLP((1, 1)), torch.zeros(1), torch.ones(1))
THETA: Parameters = {"log_std": torch.zeros(1), "w0": torch.zeros(1, 1), "b0": torch.zeros(1)}
SIGNS = torch.tensor([1.0, -1.0])  # the reward of an action a is a in one model, -a in the other


def episodes_of(policy: GaussianPolicy, parameters: Parameters, noise: Tensor) -> Episodes:
    """Return episodes of one step in each of the two models; noise: (2, M, 1, 1)."""
    seen = torch.ones_like(noise)
    flat = [part.flatten(1, 2) for part in (seen, noise)]
    actions = policy.sample(parameters, *flat)
    likely = policy.log_prob(parameters, flat[0], actions).view(noise.shape[:3])
    actions = actions.view(noise.shape)
    return Episodes(seen, actions, likely, SIGNS[:, None, None] * actions[..., 0])


def test_each_model_gets_an_inner_step_of_its_own() -> None:
    """Actions 1 and -1: advantages are +-1, and the gradient by the mean is their mean, +-1."""
    noise = torch.tensor([1.0, -1.0]).view(1, 2, 1, 1).expand(2, 2, 1, 1)
    inner = InnerConfig(episodes=2, horizon=1, rate=0.25)
    adapted = adapt_to_models(POLICY, THETA, lambda own: episodes_of(POLICY, own, noise), 2, inner)
    assert adapted.parameters["b0"].flatten().tolist() == pytest.approx([0.25, -0.25], abs=1e-4)
    assert adapted.parameters["w0"].flatten().tolist() == pytest.approx([0.25, -0.25], abs=1e-4)
    assert adapted.parameters["log_std"].flatten().tolist() == pytest.approx([0, 0], abs=1e-4)


def test_without_inner_steps_each_model_has_the_policy_itself() -> None:
    def imagine(parameters: Parameters) -> Episodes:
        raise AssertionError("nothing is imagined")

    adapted = adapt_to_models(POLICY, THETA, imagine, 2, InnerConfig(steps=0))
    assert all(torch.equal(adapted.parameters[k], v.expand(2, *v.shape)) for k, v in THETA.items())


@pytest.mark.parametrize(
    ("settings", "gain"),
    [
        ({"region": TrustRegion(max_kl=0.02)}, 1.3),
        ({"outer": "promp", "outer_rate": 0.03}, 1.3),
        ({"region": TrustRegion(max_kl=0.02), "rate": 0.0}, 0.0),
    ],
    ids=str,
)
def test_where_models_contradict_each_other_the_policy_becomes_plastic(
    settings: dict[str, Any], gain: float
) -> None:
    """No action earns in both models: only a larger change by the inner step earns more (5.3)."""
    config = replace(MBMPOConfig(rows=400, horizon=1, rate=0.1), **settings)
    policy = replace(POLICY, mlp=MLP((1, 4, 1), "tanh"))
    inner, step, generator = config.adaptation, config.outer_step(), Generator().manual_seed(0)

    def imagine(parameters: Parameters) -> Episodes:
        with torch.no_grad():
            return episodes_of(policy, parameters, torch.randn(2, 200, 1, 1, generator=generator))

    def earned(theta: Parameters) -> float:
        """Return what mean actions earn in the models they are adapted to, a mean over both."""
        own = adapt_to_models(policy, theta, imagine, 2, inner).parameters
        return float((SIGNS * policy.means(own, torch.ones(2, 1, 1)).flatten()).mean())

    theta = policy.init(Generator().manual_seed(1), 0.0)
    before = earned(theta)
    for _ in range(15):
        theta = meta_step(policy, theta, imagine, 2, inner, step)
    if not gain:
        assert earned(theta) == before == 0.0
    else:
        assert earned(theta) > gain * before > 0.2


def small(**settings: Any) -> MBMPOConfig:
    base = MBMPOConfig()
    model = replace(
        base.model,
        hidden=(32, 32),
        members=3,
        supervised_steps=200,
        learning_rate=5e-3,
        validate_every=50,
        rows=64,
        batch=32,
    )
    sizes = {"episodes": 8, "horizon": 30, "budget": 240, "rows": 12, "hidden": (8,)}
    steps = {"region": TrustRegion(max_kl=0.1), "meta_steps": 8, "episodes_of_model": 4}
    return replace(base, **{"model": model, **sizes, **steps, **settings})


@pytest.mark.parametrize(
    "settings", [{}, {"rate": 0.0}, {"outer": "promp", "outer_rate": 0.04}], ids=str
)
def test_a_slider_learns_to_park_in_its_models(sliders: Tasks, settings: dict[str, Any]) -> None:
    trained = train_mb_mpo(sliders, small(**settings))
    last = trained.curve[-1]
    assert last.mean_return > -8.0  # without force about -40, at best about -3.5
    assert trained.before_update and trained.model is not None


def test_the_first_data_are_by_chance_and_the_next_by_the_adapted_policies(sliders: Tasks) -> None:
    learner = MBMPOLearner(sliders, small(meta_steps=2, log_std=-3.0))
    learner.update(sliders, Generator())
    first = np.concatenate([each.actions for each in learner._data.training])
    assert float(np.abs(first).max()) > 0.8  # a policy's own would be near 0
    own = learner.adapted(Generator().manual_seed(0)).parameters
    assert len(own["log_std"]) == 3
    assert not torch.equal(own["w0"][0], own["w0"][1])
    assert not torch.equal(own["w0"][0], learner.parameters["w0"])
    learner.update(sliders, Generator())
    sessions = [each.tags["session"] for each in learner._data.training]
    assert sum(name.startswith("iteration-1") for name in sessions) == 6  # and 2 held out


def test_it_goes_on_from_a_checkpoint_as_if_it_had_not_stopped(
    sliders: Tasks, tmp_path: Path
) -> None:
    config = small(budget=480, meta_steps=2, outer="promp", model_bias=0.1)
    whole = train_mb_mpo(sliders, config)
    train_mb_mpo(sliders, replace(config, budget=240), tmp_path)
    resumed = train_mb_mpo(sliders, config, tmp_path)
    assert resumed.curve == whole.curve
    assert all(torch.equal(resumed.parameters[n], v) for n, v in whole.parameters.items())
    with pytest.raises(UserError, match="of another run: rate is 0.2, expected"):
        train_mb_mpo(sliders, replace(config, rate=0.1), tmp_path)
