"""Properties of every planner, whatever its settings, its seed and what it is asked."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from ros_mbmrl.planning import PLANNERS, make_planner
from ros_mbmrl.planning.base import Plan, WarmStart
from ros_mbmrl.robots import make_robot

SPEC = make_robot("hexapod").spec
LOW, HIGH, STEP = (
    torch.as_tensor(values, dtype=torch.float32)
    for values in (SPEC.action_low, SPEC.action_high, SPEC.action_step)
)
TARGET = torch.tensor([30.0, 20.0])
seeds = st.integers(0, 2**31)
sampling = st.fixed_dictionaries(
    {
        "num_samples": st.integers(2, 60),
        "horizon": st.integers(1, 8),
        "sigma": st.floats(0.02, 3.0),
        "correlation": st.floats(0.0, 0.95),
        "held_fraction": st.floats(0.0, 1.0),
    }
)
commands = st.tuples(*(st.floats(0.0, float(high), width=32) for high in HIGH)).map(torch.tensor)
every_planner = pytest.mark.parametrize("name", sorted({*PLANNERS} - {"policy"}))


def still(state: Tensor, actions: Tensor) -> Tensor:
    return state[:, None].expand(-1, actions.shape[1] + 1, -1)


def miss(states: Tensor, actions: Tensor, reference: Tensor) -> Tensor:
    """Distance of the actions from the target; a multiple of 2^-10, so that sums are exact."""
    costs = ((actions - reference) / HIGH).square().mean((1, 2))
    return (1024 * costs).round() / 1024


def plan(name: str, seed: int, previous: Tensor, cost: Any = miss, **parameters: Any) -> Plan:
    planner = make_planner(name, SPEC, **parameters)
    generator = torch.Generator().manual_seed(seed)
    start = WarmStart(None, previous)
    with torch.inference_mode():
        return planner.plan(still, cost, torch.zeros(2), TARGET, start, generator)


@every_planner
@settings(max_examples=40, deadline=None)
@given(parameters=sampling, previous=commands, seed=seeds, scale=st.sampled_from([1e-30, 1, 1e30]))
def test_a_plan_is_finite_and_within_range_and_rate(
    name: str, parameters: dict[str, Any], previous: Tensor, seed: int, scale: float
) -> None:
    found = plan(name, seed, previous, lambda s, a, r: scale * miss(s, a, r), **parameters)
    path = torch.cat([previous[None], found.actions])
    assert path.isfinite().all()
    assert (path >= LOW).all() and (path <= HIGH).all()
    assert (path.diff(dim=0).abs() <= STEP + 1e-4).all()
    assert torch.equal(found.action, found.actions[0])


@every_planner
@settings(max_examples=40, deadline=None)
@given(parameters=sampling, previous=commands, seed=seeds)
def test_a_seed_decides_everything(
    name: str, parameters: dict[str, Any], previous: Tensor, seed: int
) -> None:
    one, two = (plan(name, seed, previous, **parameters) for _ in range(2))
    assert torch.equal(one.actions, two.actions)
    assert (one.cost_min, one.cost_mean) == (two.cost_min, two.cost_mean)


@every_planner
@settings(max_examples=40, deadline=None)
@given(parameters=sampling, previous=commands, seed=seeds, shift=st.integers(-1000, 1000))
def test_a_constant_in_the_cost_changes_no_plan(
    name: str, parameters: dict[str, Any], previous: Tensor, seed: int, shift: int
) -> None:
    one = plan(name, seed, previous, **parameters)
    two = plan(name, seed, previous, lambda s, a, r: miss(s, a, r) + shift, **parameters)
    assert torch.equal(one.actions, two.actions)


@every_planner
def test_more_candidates_are_never_worse_in_expectation(name: str) -> None:
    """Paired over 200 seeds: the mean rise is below two standard errors at every doubling."""
    counts, previous = (8, 16, 32, 64, 128, 256), torch.zeros(2)
    costs = np.array(
        [
            [
                float(miss(torch.empty(0), plan(name, seed, previous, num_samples=n).actions[None],
                           TARGET))
                for n in counts
            ]
            for seed in range(200)
        ]
    )  # fmt: skip
    rises = np.diff(costs, axis=1)
    errors = rises.std(axis=0) / math.sqrt(len(rises))
    assert (rises.mean(axis=0) <= 2 * errors).all()
    assert rises.sum(axis=1).mean() < 0.0
