"""Time of one plan, and what blocks have cost lately."""

from __future__ import annotations

import math
from collections.abc import Callable

from ros_mbmrl.planning.budget import Budget, Pace


def clock(*left: float) -> Callable[[], float]:
    """Seconds left, as each look at the clock finds them."""
    looks = iter(left)
    return lambda: next(looks)


def test_without_a_deadline_time_never_ends() -> None:
    budget = Budget(None)
    budget.look()
    assert (budget.ends, budget.left, budget.first, budget.lasts) == (False, math.inf, 0.0, True)


def test_another_block_must_fit_the_slowest_so_far() -> None:
    budget = Budget(clock(0.10, 0.06, 0.055, 0.045, 0.03))  # blocks of 40, 5, 10, 15 ms
    assert budget.ends and budget.lasts
    for lasts in (True, True, True, False):
        budget.look()
        assert budget.lasts == lasts
    assert budget.first == 0.10 - 0.06


def test_a_deadline_that_has_passed_leaves_nothing() -> None:
    assert not Budget(clock(0.0)).lasts
    assert not Budget(clock(-1.0)).lasts


def test_pace_halves_until_it_fits() -> None:
    pace = Pace()
    assert pace.horizon(1e-9, 10) == 10  # nothing is known yet
    pace.took(0.1, 10)
    assert [pace.horizon(left, 10) for left in (0.1, 0.099, 0.02, 0.009, 0.0)] == [10, 5, 2, 0, 0]


def test_a_skipped_block_halves_what_is_known_and_is_counted() -> None:
    pace = Pace()
    pace.took(0.8, 8)
    assert [pace.skipped() for _ in range(3)] == [1, 2, 3]
    assert pace.horizon(0.1, 8) == 8  # 0.8 s, halved three times
    pace.took(0.1, 8)
    assert pace.skipped() == 1
