"""Lateness of messages by a clock that differs."""

import pytest

from ros_mbmrl.plants.wire.transit import LEAP, MEMORY, Transit


def test_a_clock_that_was_set_is_forgiven_after_some_seconds() -> None:
    transit = Transit()
    late = [transit.late(0.01 * k - (3.0 if k >= 500 else 0.0), 0.01 * k) for k in range(2000)]
    assert max(late[:500]) == pytest.approx(0)
    assert late[500] == pytest.approx(3.0)
    assert late[-1] == pytest.approx(0)


def test_late_is_later_than_the_fastest_whatever_the_clocks_are() -> None:
    for ahead in (0.0, 5000.0, -1e9):
        transit = Transit()
        ways = (0.020, 0.010, 0.035, 0.010, 0.110)  # [s] from robot to host
        late = [transit.late(k + ahead, k + way) for k, way in enumerate(ways)]
        # The first one is the fastest so far; 10 ms is found out at the second.
        assert late == pytest.approx([0.0, 0.0, 0.025, 0.0, 0.100], abs=1e-6)


def test_a_stamp_that_leaps_alone_says_nothing() -> None:
    for leap in (10.0, -10.0):
        transit = Transit()
        for k in range(50):
            transit.late(0.1 * k + (leap if k == 20 else 0.0), 0.1 * k)
            assert transit.leapt == (k == 20)
        assert transit.leaps == 0


def test_a_clock_that_was_set_is_reckoned_with_from_the_second_stamp_on() -> None:
    transit = Transit()
    for k in range(50):
        late = transit.late(0.1 * k + (10.0 if k >= 20 else 0.0), 0.1 * k)
        if k != 20:
            assert late == pytest.approx(0.0, abs=1e-9)
    assert transit.leaps == 1
    assert transit.late(15.0, 5.2) == pytest.approx(0.2)  # a queue is still found


def test_a_way_that_has_become_longer_is_the_fastest_after_the_memory() -> None:
    transit = Transit()
    late = [transit.late(0.1 * k, 0.1 * k + (0.2 if k > 10 else 0.0)) for k in range(150)]
    assert late[11] == pytest.approx(0.2) and LEAP > 0.2
    assert late[-1] == pytest.approx(0.0, abs=1e-9) and 2 * MEMORY < 15.0
