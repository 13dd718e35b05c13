"""Sizes of trainings."""

from __future__ import annotations

from dataclasses import replace

from ros_mbmrl.learning.sizes import SMALL


def test_methods_are_fitted_halfway_and_at_the_end_or_only_then() -> None:
    assert SMALL.rounds == 20
    assert SMALL.curve_rounds == (10, 20)
    assert replace(SMALL, halfway=False).curve_rounds == (20,)
    assert replace(SMALL, rounds=1).curve_rounds == (1,)


def test_transitions_are_the_random_runs_and_those_of_the_rounds() -> None:
    assert SMALL.transitions(0) == 72 * 150
    assert SMALL.transitions(20) == (72 + 20 * 16) * 150
