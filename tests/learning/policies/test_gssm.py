"""Algorithm 1: iterations that resume, tasks that last, policies that come back."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from ros_mbmrl.learning.policies import gssm
from ros_mbmrl.learning.policies.gssm import ContextualLearner, train_contextual
from ros_mbmrl.learning.policies.gssm_config import METHODS, ContextualConfig
from ros_mbmrl.learning.policies.training import updated
from ros_mbmrl.policies.files import load_policy, save_policy
from ros_mbmrl.policies.sampling import Tasks

MODEL = {"hidden": (8,), "first": 5, "latent": {"size": 2, "hidden": 8}}
TINY = {
    **{"budget": 30, "episodes": 1, "horizon": 10, "resampled": 2, "chance": 1, "updates": 2},
    **{"tasks": 2, "rows": 2, "context": 15, "tests": 2, "hidden": (6,)},
    "model": {**MODEL, "fit": {"steps": 3, "batch": 4, "targets": 5, "context": (1, 5)}},
    "shooting": {"candidates": 5, "horizon": 3},
    "fine_tuning": {"steps": 1},
}


def tiny(method: str, **settings: object) -> ContextualConfig:
    start = ContextualConfig(method, METHODS[method][1])
    config = updated(start, {**TINY, **settings})
    assert isinstance(config, ContextualConfig)
    return config


@pytest.mark.parametrize("method", METHODS)
def test_a_resumed_run_equals_an_unbroken_one(method: str, sliders: Tasks, tmp_path: Path) -> None:
    whole = train_contextual(sliders, tiny(method))
    train_contextual(sliders, tiny(method, budget=20), tmp_path)
    resumed = train_contextual(sliders, tiny(method), tmp_path)
    assert [point.transitions for point in whole.curve] == [10, 20, 30]
    assert resumed.curve == whole.curve
    for name, value in whole.parameters.items():
        assert torch.equal(value, resumed.parameters[name])


def test_a_task_lasts_for_so_many_iterations(sliders: Tasks) -> None:
    learner = ContextualLearner(sliders, tiny("gssm_policy"))
    for _ in range(3):
        learner.update(sliders, torch.Generator())
    lengths = learner.snapshot()["data/lengths"].tolist()
    assert lengths == [20, 10]  # two iterations of the first task


def test_ppo_improves_a_perceptron(sliders: Tasks) -> None:
    config = tiny("gssm_policy", network="mlp", step_kind="ppo")
    trained = train_contextual(sliders, config)
    assert trained.latent is not None and trained.policy.mlp.sizes == (4, 6, 1)


def test_an_amortised_policy_comes_back_from_its_folder(sliders: Tasks, tmp_path: Path) -> None:
    trained = train_contextual(sliders, tiny("gssm_policy", budget=10))
    save_policy(tmp_path, sliders.robot, trained, {"method": "gssm_policy"})
    loaded = load_policy(tmp_path, sliders.robot)
    assert loaded.latent is not None and trained.latent is not None
    assert loaded.inputs == 2 and loaded.latent.length == 15 and loaded.latent.every == 10
    assert torch.equal(loaded.latent.prior.mean, trained.latent.prior.mean)
    seen = torch.randn(5, 4)
    found = loaded.policy.means(loaded.parameters, seen)
    assert torch.equal(found, trained.policy.means(trained.parameters, seen))


def test_every_method_has_a_trainer() -> None:
    trainers = gssm.GSSM, gssm.MLSM_V0, gssm.MLSM_V1, gssm.M_DPILCO, gssm.L2A
    names = [each.configured(0, {}).method for each in trainers]
    assert sorted(names) == sorted(METHODS)
