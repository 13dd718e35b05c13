"""Which rules a model can serve."""

from __future__ import annotations

from typing import Any

import pytest

from ros_mbmrl.adaptation import make_rule, rule_of
from ros_mbmrl.errors import UserError


def test_rules_that_are_trained_alike_share_a_model_and_its_sizes() -> None:
    card = {"method": "context", "options": {"hidden": 5}}
    assert rule_of(card, "context_de") == make_rule("context_de", {"hidden": 5})
    assert rule_of({"method": "context_de"}, "context") == make_rule("context")


@pytest.mark.parametrize(
    ("own", "other"),
    [
        ("mb", "context_de"),
        ("mb_de", "grbal"),  # one class, but only the second learns its steps
        ("grbal", "context_de"),
        ("context", "grbal"),
        ("context", "bayes_context_de"),
        ("bayes_context", "context_de"),
    ],
)
def test_any_other_meta_trained_rule_is_refused(own: str, other: str) -> None:
    card: dict[str, Any] = {"method": own}
    with pytest.raises(UserError, match=f"{other} needs a model trained for it, not for {own}"):
        rule_of(card, other)
