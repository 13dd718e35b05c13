"""The learner of models: rates and decay by group, and which gradient a rule has."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from ros_mbmrl.adaptation import make_rule
from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.errors import UserError
from ros_mbmrl.learning.models.config import TrainConfig
from ros_mbmrl.learning.models.learner import (
    ModelLearner,
    by_meta_gradient,
    learner_called,
    meta_gradient,
    optimiser_of,
    supervised_gradient,
)
from ros_mbmrl.learning.models.meta_gradient import MetaGradient
from ros_mbmrl.learning.models.objective import ByAutograd
from ros_mbmrl.learning.segments import SegmentSampler, Transitions
from ros_mbmrl.networks.groups import PSI
from ros_mbmrl.networks.mlp import MLP, Parameters

CONFIG = TrainConfig(batch=4, weight_decay=0.5, learning_rate=0.1)


def test_every_group_has_its_rate_and_decay() -> None:
    names = ("b0", "w0", "gru.wi", "psi.w0")
    groups = optimiser_of({name: torch.ones(2) for name in names}, CONFIG).param_groups
    assert [len(group["params"]) for group in groups] == [3, 1]
    assert [group["weight_decay"] for group in groups] == [0.5, 0]
    assert [group["initial_lr"] for group in groups] == pytest.approx([0.1, 0.1 * PSI.rate])


def test_a_rule_says_which_gradient_it_has() -> None:
    mlp = MLP((3, 4, 2))
    assert isinstance(meta_gradient(mlp, make_rule("grbal")), MetaGradient)
    assert isinstance(meta_gradient(mlp, make_rule("context")), ByAutograd)


def test_what_is_frozen_stays_and_a_snapshot_brings_back_what_was(
    prior: tuple[DynamicsModel, Parameters], rollouts: list[Rollout]
) -> None:
    model, parameters = prior
    store = SegmentSampler(Transitions.of(model.robot, rollouts), (4,), 3)
    own = {**parameters, "frozen.w0": parameters["w0"].clone()}
    learner = ModelLearner(model, supervised_gradient(model.mlp), own, replace(CONFIG, noise=0.1))
    generator = torch.Generator().manual_seed(1)
    assert set(learner.update(store, generator)) == {"loss", "gradient"}
    kept = {name: value.clone() for name, value in learner.snapshot().items()}
    state = generator.get_state()
    losses = [learner.update(store, generator)["loss"] for _ in range(2)]
    learner.restore(kept)
    generator.set_state(state)
    assert [learner.update(store, generator)["loss"] for _ in range(2)] == losses
    after = learner.snapshot()
    assert torch.equal(after["parameters/frozen.w0"], parameters["w0"])
    assert not torch.equal(after["parameters/w0"], parameters["w0"])


def test_a_rate_of_nothing_changes_nothing(
    prior: tuple[DynamicsModel, Parameters], rollouts: list[Rollout]
) -> None:
    model, parameters = prior
    store = SegmentSampler(Transitions.of(model.robot, rollouts), (4,), 3)
    learner = ModelLearner(model, supervised_gradient(model.mlp), parameters, CONFIG)
    learner.rate = 0.0
    learner.update(store, torch.Generator().manual_seed(1))
    after = learner.snapshot()
    assert all(torch.equal(after[f"parameters/{n}"], value) for n, value in parameters.items())


def test_what_makes_a_learner_has_a_name() -> None:
    assert learner_called("ros_mbmrl.learning.models.learner:by_meta_gradient") is by_meta_gradient
    with pytest.raises(UserError, match="expected a class or function that makes a learner, got"):
        learner_called("ros_mbmrl.learning.run:LEARNED")
    with pytest.raises(UserError, match="entry point 'nowhere:learner': No module"):
        learner_called("nowhere:learner")
