"""The update rules u_psi(window, prior) and the guard that may refuse them, by method."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ros_mbmrl import methods
from ros_mbmrl.errors import UserError
from ros_mbmrl.methods import adapting, with_rule
from ros_mbmrl.plugins import expected, imported

if TYPE_CHECKING:
    from ros_mbmrl.adaptation.base import UpdateRule

# Reason that an `AdaptReport` gives for a method without adaptation, in recordings, too.
DOES_NOT_ADAPT = "the method does not adapt"
METHODS = with_rule()  # which of all methods can be trained, scored and launched


def make_rule(method: str, options: Mapping[str, Any] | None = None) -> UpdateRule:
    """Return the update rule of the method called `method`; its module is imported only now.

    Raises:
        UserError: an unknown method, one without a rule, an unknown option or a wrong value.
    """
    value = adapting(method).rule
    make = imported(value)
    expected(value, "a class or function that makes an update rule", callable(make), make)
    try:
        rule: UpdateRule = make(**(options or {}))
    except (TypeError, ValueError) as error:
        raise UserError(f"method {method}: {error}") from None
    from ros_mbmrl.adaptation.base import UpdateRule as Kind

    expected(value, "an update rule", isinstance(rule, Kind), rule)
    return rule


def check_method(method: str) -> None:
    """Refuse a method that no model can be run with; a built-in one is known, and not imported.

    Raises:
        UserError: an unknown method, one without a rule, or an entry point not as expected.
    """
    adapting(method)
    if methods.METHODS.entry(method) is not None:
        make_rule(method)


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
