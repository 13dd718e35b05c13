"""The update rules u_psi(window, prior) and the guard that may refuse them. One line a method."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ros_mbmrl.adaptation.base import UpdateRule
from ros_mbmrl.adaptation.context import Context
from ros_mbmrl.adaptation.context_step import ContextStep
from ros_mbmrl.adaptation.gradient import GradientStep
from ros_mbmrl.adaptation.prior import Prior
from ros_mbmrl.adaptation.residual import MeanResidual
from ros_mbmrl.errors import UserError, choose

METHODS: dict[str, Callable[..., UpdateRule]] = {
    "mb": Prior,
    "mb_de": GradientStep,
    "residual": MeanResidual,
    "context": Context,
    "context_de": ContextStep,
    "grbal": lambda **options: GradientStep(
        **{"steps": 3, "step": 0.02, "bias_step": 0.5, **options, "meta_trained": True}
    ),
}


def make_rule(method: str, options: Mapping[str, Any] | None = None) -> UpdateRule:
    """The update rule called `method`. Raises UserError for an unknown name or option."""
    choose("method", method, METHODS)
    try:
        return METHODS[method](**(options or {}))
    except (TypeError, ValueError) as error:
        raise UserError(f"method {method}: {error}") from None


def rule_of(card: Mapping[str, Any], method: str | None = None) -> UpdateRule:
    """The rule that a model's card names, or `method` where the model can serve it.

    A rule that is not meta-trained runs on any model; a meta-trained one needs its own.
    """
    own = str(card["method"])
    if method is None or method == own:
        return make_rule(own, card.get("options"))
    rule = make_rule(method)
    if rule.meta_trained:
        raise UserError(f"method {method} needs a model trained for it, not for {own}")
    return rule
