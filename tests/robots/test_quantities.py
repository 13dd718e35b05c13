"""Quantities of a robot: what they refuse."""

from __future__ import annotations

from typing import Any

import pytest

from ros_mbmrl.robots.quantities import Cause, Limit


@pytest.mark.parametrize(
    ("low", "high", "rate", "words"),
    [(1.0, 1.0, 1.0, "low < high, got 1.0 and 1.0"), (0.0, 1.0, 0.0, "a rate above 0, got 0.0")],
)
def test_a_limit_that_is_none_is_refused(low: float, high: float, rate: float, words: str) -> None:
    with pytest.raises(ValueError, match=f"^push: expected {words}"):
        Limit("push", "N", low, high, rate)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"low": 3.0}, "expected low < high, got 3.0 and 2.0"),
        ({"default": 2.5}, "expected default and levels from -2.0 to 2.0, got 2.5"),
        ({"levels": (0.0,)}, "expected levels other than its default, or a spread"),
        ({"levels": ()}, "expected levels other than its default, or a spread"),
        ({"spread": 0.1, "discrete": True}, "expected a spread of 0 or more, 0 if it is discrete"),
    ],
)
def test_a_cause_that_is_none_is_refused(wrong: dict[str, Any], words: str) -> None:
    right = {"low": -2.0, "high": 2.0, "default": 0.0, "levels": (1.0,)}
    Cause("push", "N", **right)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=f"^push: {words}"):
        Cause("push", "N", **{**right, **wrong})
