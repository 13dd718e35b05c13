"""Which cards are refused, by name."""

from __future__ import annotations

from typing import Any

import pytest

from ros_mbmrl import __version__
from ros_mbmrl.dynamics.card import check_card, facts_of
from ros_mbmrl.errors import UserError

CARD = {"method": "mb", "adapt_window": 8, "network": {"sizes": [2, 2], "activation": "tanh"}}


@pytest.mark.parametrize(
    "more",
    [{}, {"code_version": __version__}, {"code_version": "0.0.9"}, {"notes": {"any": "thing"}}],
)
def test_what_is_understood_passes(more: dict[str, Any]) -> None:
    check_card("folder", {**CARD, **more})


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (
            {"temperature": 1.0},
            "folder: unknown field 'temperature' in the card: expected none but",
        ),
        ({1: 2}, "unknown field '1' in the card"),
        (
            {"network": {"sizes": [2, 2], "skip": True}},
            "unknown field 'skip' in the card's network",
        ),
        ({"code_version": "99.1"}, f"made by version 99.1: expected {__version__} or before"),
        ({"code_version": 10**30}, "made by version 1000"),
        ({"origin": {"package": "toys"}}, "'mb' of another package: made with toys, installed is"),
    ],
)
def test_what_would_not_be_heeded_is_refused(more: dict[Any, Any], words: str) -> None:
    with pytest.raises(UserError) as refused:
        check_card("folder", {**CARD, **more})
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_built_in_method_needs_no_more_than_its_name() -> None:
    assert facts_of("grbal") == facts_of(None) == {}
