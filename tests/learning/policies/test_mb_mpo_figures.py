"""Contenders of the figures: each is a configuration of its method."""

from __future__ import annotations

from ros_mbmrl.learning.policies.mb_mpo_figures import (
    on_biased_models,
    with_and_without_adaptation,
)
from ros_mbmrl.learning.policies.training import PolicyMethod
from ros_mbmrl.methods import make_method
from ros_mbmrl.plugins import imported


def test_an_inner_step_or_none() -> None:
    method: PolicyMethod = imported(make_method("mb_mpo").learner)
    with_step, without = with_and_without_adaptation()
    assert method.configured(0, with_step.settings).adaptation.steps == 1
    assert method.configured(0, without.settings).adaptation.steps == 0
    assert without.label == "alpha = 0"


def test_both_methods_have_the_same_biased_models() -> None:
    found = on_biased_models((0.5, 1.0))
    assert [(each.method, each.settings["model_bias"]) for each in found] == [
        ("mb_mpo", 0.5),
        ("me_trpo", 0.5),
        ("mb_mpo", 1.0),
        ("me_trpo", 1.0),
    ]
    for each in found:
        method: PolicyMethod = imported(make_method(each.method).learner)
        config = method.configured(3, each.settings)
        assert (config.model_bias, config.horizon) == (each.settings["model_bias"], 100)
        assert config.model.members == 5
