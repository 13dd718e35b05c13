"""Diagnostics as numbers: what can be plotted, and what cannot is left out."""

from __future__ import annotations

from ros_mbmrl.view.diagnostics import FIGURES, figures, topic_of


def test_texts_become_what_they_say() -> None:
    told = {"plan_ms": "1.5", "accepted": "True", "limited": "0", "reason": "2 rows", "mode": ""}
    expected = {"plan_ms": 1.5, "accepted": True, "limited": 0.0, "reason": "2 rows", "mode": ""}
    assert figures("controller: timing", told) == expected


def test_what_is_no_finite_number_is_left_out() -> None:
    assert figures("driver: timing", {"offset_s": "nan", "delay_s": "-inf"}) == {}


def test_the_level_of_safety_is_a_number_too() -> None:
    assert figures("safety: state", {"level": "HOLD"}) == {"level": "HOLD", "severity": 3}
    assert figures("safety: state", {"level": "PANIC"}) == {"level": "PANIC"}  # of another version
    assert figures("driver: plant", {"level": "HOLD"}) == {"level": "HOLD"}


def test_each_line_has_a_topic() -> None:
    assert topic_of("controller: timing") == "/view/controller/timing"
    assert "/view/controller/timing" in FIGURES
