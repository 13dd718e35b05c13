"""The registry of update rules."""

from __future__ import annotations

import pytest

from ros_mbmrl.adaptation import METHODS, make_rule, rule_of
from ros_mbmrl.adaptation.gradient import GradientStep
from ros_mbmrl.errors import UserError
from ros_mbmrl.methods import make_method


@pytest.mark.parametrize("method", METHODS)
def test_every_method_can_be_made(method: str) -> None:
    plain = ("mb", "mb_de", "residual", "last_layer", "kalman_last_layer", "causes", "causes_ll")
    assert make_rule(method).meta_trained == (method not in plain)


def test_an_unknown_method_is_refused() -> None:
    with pytest.raises(UserError, match="unknown method 'maml': expected one of bayes_context, "):
        make_rule("maml")


@pytest.mark.parametrize("options", [{"colour": 1}, {"steps": 0}, {"steps": "many"}])
def test_unknown_options_and_wrong_values_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(UserError, match="method grbal: "):
        make_rule("grbal", options)


def test_a_card_says_which_rule() -> None:
    card = {"method": "grbal", "options": {"steps": 2}}
    rule = rule_of(card)
    assert isinstance(rule, GradientStep)
    assert rule.steps == 2
    assert rule.meta_trained
    assert rule_of(card, "grbal") == rule


def test_a_rule_that_is_not_meta_trained_runs_on_any_model() -> None:
    assert rule_of({"method": "grbal"}, "residual") == make_rule("residual")


def test_a_meta_trained_rule_needs_its_own_model() -> None:
    with pytest.raises(UserError, match="context needs a model trained for it, not for grbal"):
        rule_of({"method": "grbal"}, "context")


def test_every_method_knows_whose_model_it_runs_on() -> None:
    for method in METHODS:
        trained = make_method(method).trained_as
        rule, other = make_rule(method), make_rule(trained)
        assert trained == method or not rule.meta_trained or type(rule.training_rule) is type(other)
        assert rule.meta_trained or rule.labelled or trained == "mb"
