"""A time of day that goes on steadily while the machine's own is set."""

import time

import pytest

from ros_mbmrl.plants.clock import SteadyTime


def test_it_goes_on_though_the_time_of_day_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    steady, set_by = [100.0], [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: steady[0])
    monkeypatch.setattr(time, "time", lambda: steady[0] + 1.7e9 + set_by[0])
    clock = SteadyTime()
    assert clock() == 1.7e9 + 100.0
    steady[0] += 60.0
    assert (clock(), clock.set_by()) == (1.7e9 + 160.0, 0.0)
    set_by[0] = -3600.5
    assert (clock(), clock.set_by()) == (1.7e9 + 160.0, -3600.5)
