from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ros_mbmrl.simulation.randomisation import MILD, NOMINAL, NONE, Physics, Randomisation


@given(st.integers(0, 2**32))
def test_samples_stay_in_range(seed: int) -> None:
    physics = MILD.sample(np.random.default_rng(seed))
    for field in fields(MILD):
        low, high = getattr(MILD, field.name)
        assert low <= getattr(physics, field.name) <= high


def test_none_is_nominal() -> None:
    assert NONE.sample(np.random.default_rng(3)) == NOMINAL


def test_the_same_seed_draws_the_same_robot() -> None:
    first, second = (MILD.sample(np.random.default_rng(5)) for _ in range(2))
    assert first == second


def test_wrong_values_fail_at_construction() -> None:
    with pytest.raises(ValueError, match="friction: expected above 0"):
        Physics(friction=0.0)
    with pytest.raises(ValueError, match="mass: expected low <= high"):
        Randomisation(mass=(1.2, 0.9))
