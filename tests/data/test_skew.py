"""Drift and jumps between two clocks, and stamps that do not follow time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ros_mbmrl.data.skew import skew
from ros_mbmrl.data.steps import Step

PERIOD = 0.1


def steps(behind: np.ndarray) -> list[Step]:
    """Steps on time, recorded this much later [s]."""
    stamps = [10**9 + k * 10**8 for k in range(len(behind))]
    logged = [stamp + round(1e9 * late) for stamp, late in zip(stamps, behind, strict=True)]
    return [Step(0, s, r, s, np.zeros(1)) for s, r in zip(stamps, logged, strict=True)]


@given(
    ppm=st.floats(-2000, 2000),
    size=st.sampled_from([0.0, 0.2, -0.3, 5.0]),
    at=st.integers(20, 180),
    seed=st.integers(0, 5),
)
def test_drift_and_jumps_are_told_apart(ppm: float, size: float, at: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    times = 0.1 * np.arange(200)
    behind = 1e-6 * ppm * times + size * (np.arange(200) >= at) + 0.002 * rng.random(200)
    behind[10] += 0.4  # a message that was late alone
    found = skew(steps(behind), PERIOD)
    assert found.rate == pytest.approx(1e-6 * ppm, abs=3e-4)
    assert not found.stepped
    assert len(found.jumps) == (size != 0)
    for stamp, jump in found.jumps:
        assert stamp == pytest.approx(1 + 0.1 * at)
        assert jump == pytest.approx(size, abs=0.01)


def test_lockstep_is_no_drift() -> None:
    found = skew(steps(-0.6 * 0.1 * np.arange(200)), PERIOD)
    assert found.stepped and not found.jumps
    assert found.rate == pytest.approx(-0.6)


def test_a_few_steps_tell_nothing() -> None:
    found = skew(steps(np.arange(9.0)), PERIOD)
    assert (found.rate, found.drift, found.jumps, found.stepped) == (0.0, 0.0, (), False)
