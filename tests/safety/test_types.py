"""Thresholds of the safety monitor."""

from __future__ import annotations

import math

import pytest

from ros_mbmrl.safety.types import Level, SafetyConfig


@pytest.mark.parametrize(
    ("name", "value"), [("limited_range", 1.5), ("lost_after", 0.5), ("model_recovery", math.nan)]
)
def test_a_wrong_threshold_fails_at_construction(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"{name}: expected"):
        SafetyConfig(**{name: value})


def test_levels_are_ordered_from_the_mildest_to_the_worst() -> None:
    assert sorted(Level, reverse=True)[0] is Level.LATCHED
    assert max(Level.RUN, Level.HOLD, Level.RETURN) is Level.HOLD
