import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ros_mbmrl.plants.wire.legs import StallWatch, Unwrapper
from ros_mbmrl.plants.wire.units import ENCODER

TURN = 2 * math.pi
FAST, SLOW = np.full(2, 3 * TURN), np.full(2, 1 * TURN)


def wrapped(counts: int) -> int:
    return (counts + (1 << 31)) % (1 << 32) - (1 << 31)


@given(st.integers(-(1 << 31), (1 << 31) - 1), st.lists(st.integers(-60_000, 60_000), max_size=30))
def test_angles_go_on_over_the_wrap(start: int, steps: list[int]) -> None:
    legs, total = Unwrapper(), start
    for k, step in enumerate([0, *steps]):
        total += step
        left, right = legs.update((wrapped(total), wrapped(-total)), 0.1 * k)
        assert left == pytest.approx(ENCODER * total)
    assert legs.jumps == 0


def test_a_robot_that_starts_anew_keeps_its_revolutions() -> None:
    legs = Unwrapper()
    legs.update((1_000_000, 1_000_000), 0.0)
    before = legs.update((1_030_000, 1_030_000), 0.1)
    after = legs.update((20_000, 20_000), 0.2)
    assert (np.abs(after - before) <= math.pi).all()
    assert np.allclose(np.cos(after), math.cos(ENCODER * 20_000))
    assert legs.jumps == 2


def test_a_wild_packet_does_not_spoil_the_phase() -> None:
    legs = Unwrapper()
    legs.update((1000, 1000), 0.0)
    legs.update((900_000_000, 1000), 0.1)
    angles = legs.update((31_000, 1000), 0.2)
    assert np.allclose(np.sin(angles), np.sin(ENCODER * np.array([31_000, 1000])))


def stalls(angles: list[float], setpoints: np.ndarray, patience: float = 0.25) -> list[bool]:
    watch = StallWatch(2 * TURN, patience)
    verdicts = []
    for k, angle in enumerate(angles):
        watch.update(0.1 * k, np.array([angle, 10.0 * k]), setpoints)
        verdicts.append(watch.stalled)
    return verdicts


def test_one_leg_that_stands_still_is_a_stall() -> None:
    assert stalls([0.0, 1.0, 2.0, 2.05, 2.0, 2.05, 2.0], FAST) == [False] * 5 + [True] * 2
    assert not any(stalls([0.0, 0.02, 0.0, 0.01, 0.0], SLOW))  # slow set-points do not count
    assert not any(stalls([0.0, 0.2, 0.4, 0.6, 0.8], FAST))


def test_a_reset_forgets() -> None:
    watch = StallWatch(2 * TURN, 0.15)
    for k in range(4):
        watch.update(0.1 * k, np.zeros(2), FAST)
    assert watch.stalled and watch.suspected
    watch.reset()
    assert not watch.stalled
    watch.update(0.4, np.zeros(2), FAST)
    assert not watch.suspected
