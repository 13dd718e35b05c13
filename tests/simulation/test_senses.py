"""Errors of sensors: by each robot's seed and clock, and what faults add."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from ros_mbmrl.simulation.senses import Senses

SIMULATION: Any = SimpleNamespace(deviations=np.array([0.0, 2.0]))


def senses(count: int, noise: float = 1.0, seeds: range | list[int] | None = None) -> Senses:
    made = Senses(SIMULATION, count, noise)
    made.reset(np.arange(count), range(count) if seeds is None else seeds)
    return made


def test_errors_have_their_deviations_times_the_noise() -> None:
    drawn = senses(2000, noise=0.5).errors(np.zeros(2000, dtype=int))
    assert (drawn[:, 0] == 0).all()
    assert abs(drawn[:, 1].std() - 1.0) < 0.05


def test_an_instant_has_one_error_and_the_next_another() -> None:
    made, now = senses(3), np.array([0, 0, 0])
    first = made.errors(now)
    np.testing.assert_array_equal(made.errors(now), first)
    later = made.errors(np.array([0, 5, 0]))
    assert later[1, 1] != first[1, 1]
    np.testing.assert_array_equal(later[[0, 2]], first[[0, 2]])


def test_a_robots_errors_do_not_depend_on_the_others() -> None:
    now = np.array([0, 0])
    many, few = senses(3), senses(2, seeds=[2, 0])
    both = many.errors(np.zeros(3, dtype=int)), few.errors(now)
    np.testing.assert_array_equal(both[0][[2, 0]], both[1])
    many.reset(np.array([0]), [0])
    np.testing.assert_array_equal(many.errors(np.zeros(3, dtype=int)), both[0])


def test_faults_add_to_them_until_a_reset() -> None:
    made = senses(2, noise=0.0)
    made.offsets[1] = [0.1, 0.2]
    np.testing.assert_array_equal(made.errors(np.zeros(2, dtype=int)), [[0, 0], [0.1, 0.2]])
    made.reset(np.array([1]), [0])
    assert not made.errors(np.zeros(2, dtype=int)).any()
