"""Orders of turns, spelled out."""

from __future__ import annotations

from itertools import islice

import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.learning.asynchronous.schedules import SCHEDULES, Sizes, make_schedule

C, F, I = "collect", "fit", "improve"  # noqa: E741
SIZES = Sizes(rollouts=3, epochs=5, updates=7, repeats=2)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("synchronous", [(C, 3), (F, 5), (I, 7), (C, 3), (F, 5)]),
        ("interleaved_models", [(C, 3), (F, 5), (I, 7), (F, 5), (I, 7), (C, 3)]),
        (
            "interleaved_data",
            [(C, 3), (F, 5), *[(I, 7), (C, 1)] * 3, (F, 5), (I, 7)],
        ),
        ("in_turn", [(C, 3), (F, 5), (I, 7), (C, 3)]),
    ],
)
def test_orders(name: str, expected: list[tuple[str, int]]) -> None:
    assert list(islice(make_schedule(name)(SIZES), len(expected))) == expected


def test_unknown_orders_and_sizes_are_refused() -> None:
    assert "synchronous" in SCHEDULES
    with pytest.raises(UserError, match="unknown schedule 'backwards'"):
        make_schedule("backwards")
    with pytest.raises(ValueError, match="updates: expected at least 1, got 0"):
        Sizes(updates=0)
