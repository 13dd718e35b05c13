"""Lateness of messages by a clock that differs."""

import pytest

from ros_mbmrl.plants.pr2_session import Transit


def test_a_clock_that_was_set_is_forgiven_after_some_seconds() -> None:
    transit = Transit()
    late = [transit.late(0.01 * k - (3.0 if k >= 500 else 0.0), 0.01 * k) for k in range(2000)]
    assert max(late[:500]) == pytest.approx(0)
    assert late[500] == pytest.approx(3.0)
    assert late[-1] == pytest.approx(0)
