"""Test tasks: as many as in the paper, always the same ones, none of training."""

from __future__ import annotations

import numpy as np
import pytest

from ros_mbmrl.errors import UserError
from ros_mbmrl.simulation.benchmarks import BENCHMARKS
from ros_mbmrl.simulation.held_out import HELD_OUT, SCALED, held_out
from ros_mbmrl.simulation.mechanisms import MECHANISMS


@pytest.mark.parametrize("name", HELD_OUT)
def test_they_are_new_and_apart_from_one_another(name: str) -> None:
    tasks = held_out(name)
    expected = {"cart-pole": 50, "acrobot": 35, "gssm-half-cheetah": 16, "gssm-slim-humanoid": 16}
    assert len(set(tasks)) == len(tasks) == expected[name]
    row = (MECHANISMS if name in MECHANISMS else BENCHMARKS)[name]
    rng = np.random.default_rng(0)
    assert not {row.draw(rng) for _ in range(500)} & set(tasks)
    held_out.cache_clear()
    assert held_out(name) == tasks


def test_masses_are_within_their_ranges() -> None:
    for name in ("cart-pole", "acrobot"):
        masses = np.array([each.masses for each in held_out(name)])
        low, high = np.array(MECHANISMS[name].masses).T
        assert (masses >= low).all() and (masses <= high).all()
        assert (masses.min(0) < low + 0.2 * (high - low)).all()
        assert (masses.max(0) > high - 0.2 * (high - low)).all()


@pytest.mark.parametrize("name", SCALED)
def test_factors_lie_between_those_of_training(name: str) -> None:
    scales = {(each.physics.mass, each.physics.damping) for each in held_out(name)}
    assert scales == {(m, d) for m in (0.85, 0.95, 1.05, 1.15) for d in (0.85, 0.95, 1.05, 1.15)}
    rng = np.random.default_rng(0)
    drawn = {BENCHMARKS[name].draw(rng) for _ in range(400)}
    trained = {(each.physics.mass, each.physics.damping) for each in drawn}
    assert trained == {(m / 10, d / 10) for m in range(8, 13) for d in range(8, 13)}


def test_others_have_none() -> None:
    with pytest.raises(UserError, match="unknown environment with test tasks 'pendulum'"):
        held_out("pendulum")
