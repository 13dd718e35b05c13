"""Random shooting: the best candidate wins, and nothing is kept of the plan before."""

from __future__ import annotations

import math

import pytest
import torch

from ros_mbmrl.errors import UserError
from ros_mbmrl.planning.random_shooting import (
    RandomShooting,
    RandomShootingConfig,
    make_random_shooting,
)
from ros_mbmrl.planning.sampling import Limits
from ros_mbmrl.planning.search import Search
from ros_mbmrl.robots import make_robot

LIMITS = Limits(torch.tensor([0.0]), torch.tensor([10.0]), torch.tensor([10.0]))
PLANNER = RandomShooting(LIMITS, RandomShootingConfig(num_samples=4, horizon=1, sigma=0.2))


def test_the_candidate_with_the_lowest_finite_cost_is_taken() -> None:
    candidates = torch.tensor([[[2.0]], [[9.0]], [[4.0]], [[8.0]]])
    costs = torch.tensor([3.0, -math.inf, 1.0, math.nan])
    found = PLANNER.update(Search(None, torch.tensor([2.0])), candidates, costs)
    assert found.mean is not None
    assert (found.mean.item(), found.std.item()) == (4.0, 2.0)


def test_the_previous_plan_is_not_searched_around() -> None:
    start = PLANNER.start(torch.tensor([[5.0]]))
    assert start.mean is None
    assert start.std.item() == pytest.approx(0.2 * 10.0)  # sigma is a share of the range


def test_it_has_no_iterations_to_set() -> None:
    spec = make_robot("hexapod").spec
    assert make_random_shooting(spec, num_samples=7).config.num_samples == 7
    with pytest.raises(UserError, match="unknown planner parameter 'iterations'"):
        make_random_shooting(spec, iterations=2)
