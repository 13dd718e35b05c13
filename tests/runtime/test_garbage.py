"""Garbage is collected when it is asked for, and only then."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from ros_mbmrl.runtime.garbage import EVERY, Garbage


class Knot:
    """An object that only the collector frees."""

    def __init__(self) -> None:
        self.me = self


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    yield
    gc.unfreeze()
    gc.enable()


def test_knots_wait_until_they_are_collected() -> None:
    with Garbage() as garbage:
        assert not gc.isenabled()
        knots = [weakref.ref(Knot()) for _ in range(5000)]  # far more than the collector waits for
        assert all(knot() is not None for knot in knots)
        garbage.collect()
        assert all(knot() is None for knot in knots)


def test_what_is_there_at_the_start_is_left_alone() -> None:
    before = gc.get_freeze_count()
    with Garbage():
        assert gc.get_freeze_count() > before + 1000


def test_afterwards_all_is_as_it_was() -> None:
    """In a process that goes on, what was there would never be freed."""
    knot = Knot()
    gone = weakref.ref(knot)
    with Garbage():
        pass
    del knot
    assert gc.isenabled() and gc.get_freeze_count() == 0
    gc.collect()
    assert gone() is None
    gc.disable()
    with Garbage():
        pass
    assert not gc.isenabled()


def test_old_knots_are_collected_now_and_then() -> None:
    with Garbage() as garbage:
        knot = Knot()
        gone = weakref.ref(knot)
        gc.collect(1)
        gc.collect(1)  # it is old now
        del knot
        for _ in range(EVERY - 1):
            garbage.collect()
        assert gone() is not None
        garbage.collect()
        assert gone() is None
