"""The update rules u_psi(window, prior) and the guard that may refuse them. One line a method."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ros_mbmrl.errors import UserError, choose

if TYPE_CHECKING:
    from ros_mbmrl.adaptation.base import UpdateRule

# name -> "module:factory"; imported on use, so that naming a method does not cost torch.
METHODS: dict[str, str] = {
    "mb": "prior:Prior",
    "mb_de": "gradient:GradientStep",
    "residual": "residual:MeanResidual",
    "last_layer": "last_layer:LastLayer",
    "bayes_context_ll": "last_layer:BayesContextLastLayer",
    "context": "context:Context",
    "context_de": "context_step:ContextStep",
    "grbal": "gradient:grbal",
    "rebal": "rebal:ReBAL",
    "bayes_context": "bayes_context:BayesContext",
    "bayes_context_de": "context_step:BayesContextStep",
    "leaky_context": "leaky_context:LeakyContext",
    "leaky_context_de": "context_step:LeakyContextStep",
}


def trained_as(method: str) -> str:
    """The method whose model `method` can run on beside its own.

    What is added to a context at test time needs no model of its own, nor does a rule that is not
    meta-trained.
    """
    base, _, suffix = method.rpartition("_")
    if suffix in ("de", "ll") and base in METHODS:
        return base
    return "mb" if method in ("residual", "last_layer") else method


def make_rule(method: str, options: Mapping[str, Any] | None = None) -> UpdateRule:
    """The update rule called `method`. Raises UserError for an unknown name or option."""
    choose("method", method, METHODS)
    module, factory = METHODS[method].split(":")
    make = getattr(import_module(f"ros_mbmrl.adaptation.{module}"), factory)
    try:
        rule: UpdateRule = make(**(options or {}))
        return rule
    except (TypeError, ValueError) as error:
        raise UserError(f"method {method}: {error}") from None


def rule_of(card: Mapping[str, Any], method: str | None = None) -> UpdateRule:
    """The rule that a model's card names, or `method` where the model can serve it.

    A rule that is not meta-trained runs on any model; a meta-trained one needs a model that was
    trained with the same rule, as `context_de` and `context` are.
    """
    own, options = str(card["method"]), card.get("options")
    if method is None or method == own:
        return make_rule(own, options)
    rule = make_rule(method)
    if not rule.meta_trained:
        return rule
    trained = make_rule(own, options)
    if not trained.meta_trained or type(trained.training_rule) is not type(rule.training_rule):
        raise UserError(f"method {method} needs a model trained for it, not for {own}")
    return make_rule(method, options)
