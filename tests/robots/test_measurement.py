"""A measurement stays as it was taken, and is fresh unless it says otherwise."""

from __future__ import annotations

import pickle
from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from ros_mbmrl.robots.measurement import Measurement


def test_a_measurement_is_fresh_and_cannot_be_changed() -> None:
    taken = Measurement(1.5, np.array([0.1, 0.2]))
    assert taken.age == 0.0
    with pytest.raises(FrozenInstanceError):
        taken.time = 2.0  # type: ignore[misc]


def test_it_goes_to_another_process_bit_for_bit() -> None:
    sent = Measurement(0.1 + 0.2, np.array([1 / 3, np.nan]), age=0.004)
    came = pickle.loads(pickle.dumps(sent))
    assert (came.time, came.age) == (sent.time, sent.age)
    assert came.values.tobytes() == sent.values.tobytes() and came.values.dtype == np.float64
