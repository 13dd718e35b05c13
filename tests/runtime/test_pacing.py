"""Periods on absolute deadlines, by a clock that only waiting moves."""

from __future__ import annotations

import threading

import pytest

from ros_mbmrl.runtime.pacing import Pacer


class Clock(threading.Event):
    """Seconds; waiting moves them, until somebody interrupts."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 5.0

    def __call__(self) -> float:
        return self.now

    def wait(self, timeout: float | None = None) -> bool:
        self.now += timeout or 0.0
        return self.is_set()


def test_a_period_ends_where_it_should_however_long_the_work_took() -> None:
    clock = Clock()
    pacer = Pacer(0.1, clock)
    for k in range(1, 21):
        clock.now += 0.004 * k  # of work: 80 ms at last
        assert pacer.wait(clock)
        assert clock.now == pytest.approx(5.0 + 0.1 * k)
    assert pacer.overruns == 0


def test_late_by_more_than_the_slack_is_an_overrun_and_a_whole_period_follows() -> None:
    clock = Clock()
    pacer = Pacer(0.1, clock, slack=0.1)
    clock.now += 0.109  # 9 ms late: within a tenth of the period
    assert pacer.remaining == 0.0
    pacer.next()
    assert pacer.overruns == 0
    assert pacer.remaining == pytest.approx(0.091)
    clock.now += 0.35
    pacer.next()
    assert pacer.overruns == 1
    assert pacer.remaining == pytest.approx(0.1)


def test_an_interrupted_wait_begins_no_period() -> None:
    clock = Clock()
    pacer = Pacer(0.1, clock)
    clock.set()
    assert not pacer.wait(clock)
    pacer.start()
    assert pacer.remaining == pytest.approx(0.1)


@pytest.mark.parametrize("period", [0.0, -1.0, float("nan")])
def test_a_period_that_is_none_is_refused(period: float) -> None:
    with pytest.raises(ValueError, match="period: expected above 0 s"):
        Pacer(period, Clock())
