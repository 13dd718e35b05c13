"""A card's facts follow from the fit, and from a guard's minimum that is told."""

from __future__ import annotations

import pytest

from ros_mbmrl.learning.card import facts_of
from ros_mbmrl.learning.models.config import TrainConfig

CONFIG = TrainConfig(adapt_windows=(8, 32, 16), options={"steps": 2}, seed=5)


def test_the_longest_window_is_the_live_one_and_scores_are_rounded() -> None:
    facts = facts_of(CONFIG, {"open_loop_after": 0.123456789}, 5)
    assert (facts["adapt_window"], facts["adapt_windows"]) == (32, [8, 32, 16])
    assert facts["scores"] == {"open_loop_after": 0.12346}
    assert facts["guard"] == {"folds": 4, "min_transitions": 5}
    assert (facts["options"], facts["seed"]) == ({"steps": 2}, 5)


def test_tuned_options_take_the_fits_place_even_if_there_are_none() -> None:
    assert facts_of(CONFIG, {}, 6, {})["options"] == {}


def test_a_minimum_below_the_folds_is_refused() -> None:
    with pytest.raises(ValueError, match="min_transitions at least folds"):
        facts_of(CONFIG, {}, 3)
