"""The importance weights of MPPI."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from ros_mbmrl.planning.mppi import importance_weights

COSTS = st.lists(st.floats(-1e3, 1e3, width=32), min_size=2, max_size=30).map(torch.tensor)


def test_weights_of_two_costs_by_hand() -> None:
    # exp(-1 / 0.5) = 0.1353: 1 / 1.1353 and 0.1353 / 1.1353
    weights = importance_weights(torch.tensor([2.0, 3.0]), 0.5, relative=False)
    assert weights.tolist() == pytest.approx([0.8808, 0.1192], abs=1e-4)


def test_relative_temperature_by_hand() -> None:
    # median - min = 4 - 2 = 2, so a temperature of 0.5 is one of 1.
    weights = importance_weights(torch.tensor([2.0, 4.0, 1e6]), 0.5, relative=True)
    assert weights.tolist() == pytest.approx([0.8808, 0.1192, 0.0], abs=1e-4)


@given(costs=COSTS, relative=st.booleans(), temperature=st.sampled_from([1e-3, 0.1, 1.0, 100.0]))
def test_weights_sum_to_one(costs: torch.Tensor, relative: bool, temperature: float) -> None:
    weights = importance_weights(costs, temperature, relative)
    assert (weights >= 0).all()
    assert float(weights.sum()) == pytest.approx(1.0, abs=1e-5)
    assert weights[costs.argmin()] == weights.max()


@given(
    costs=st.lists(st.integers(-1000, 1000), min_size=2, max_size=30),
    shift=st.integers(-10000, 10000),
    relative=st.booleans(),
)
def test_weights_are_invariant_to_a_shift(costs: list[int], shift: int, relative: bool) -> None:
    original = torch.tensor(costs, dtype=torch.float32)
    one = importance_weights(original, 0.1, relative)
    two = importance_weights(original + shift, 0.1, relative)
    assert torch.equal(one, two)


@given(costs=COSTS, scale=st.sampled_from([2.0**-20, 0.25, 8.0, 2.0**20]))
def test_relative_weights_are_invariant_to_the_scale(costs: torch.Tensor, scale: float) -> None:
    different = costs.unique()
    assume(len(different) < 2 or float(different.diff().min()) > 1e-9)  # not lost in float32
    one, two = (importance_weights(c, 0.1, relative=True) for c in (costs, scale * costs))
    assert torch.allclose(one, two, atol=1e-5)


@pytest.mark.parametrize("relative", [True, False])
def test_non_finite_costs_have_no_weight(relative: bool) -> None:
    costs = torch.tensor([math.nan, 1.0, -math.inf, 1.0, math.inf])
    weights = importance_weights(costs, 0.1, relative)
    assert weights.tolist() == [0.0, 0.5, 0.0, 0.5, 0.0]


@pytest.mark.parametrize("relative", [True, False])
def test_equal_costs_have_equal_weights(relative: bool) -> None:
    assert importance_weights(torch.full((4,), 7.0), 0.1, relative).tolist() == [0.25] * 4
