"""A run whose parts are of the same length, or none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ros_mbmrl.data.rollout import Mark, Rollout


def test_its_length_is_in_transitions(rollouts: list[Rollout]) -> None:
    assert len(rollouts[0]) == 40 == len(rollouts[0].states) - 1


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("states", "states: expected 41 rows, got 40"),
        ("times", "times: expected 41 rows, got 40"),
        ("marks", "marks: expected 40 rows, got 39"),
        ("actions", "states: expected 40 rows, got 41"),
    ],
)
def test_parts_of_other_lengths_are_refused(rollouts: list[Rollout], name: str, words: str) -> None:
    with pytest.raises(ValueError, match=f"^{words}$"):
        replace(rollouts[0], **{name: getattr(rollouts[0], name)[:-1]})


def test_any_marks_fit_together_into_a_byte() -> None:
    together = np.uint8(sum(Mark))
    assert all(together & np.uint8(mark) for mark in Mark if mark)
