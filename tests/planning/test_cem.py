"""The elites of the cross-entropy method, and what is fitted to them."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from ros_mbmrl.planning.cem import CEM, CEMConfig, elites_of
from ros_mbmrl.planning.sampling import Limits
from ros_mbmrl.planning.search import Search

LIMITS = Limits(torch.tensor([0.0]), torch.tensor([10.0]), torch.tensor([10.0]))


def best_of(values: Tensor, costs: Tensor, count: int) -> Tensor:
    """Return the finite ones among the elites of candidates of a single number."""
    found = elites_of(values[:, None, None], costs, count)
    return found.actions[found.well].flatten()


def test_the_elite_mean_is_that_of_the_best_and_not_of_their_indices() -> None:
    # Comparing argsort's indices, as if they were ranks, with the number of elites takes
    # candidates 1 and 2 here, the two worst.
    values = torch.tensor([3.0, 0.1, 0.2, 2.5, 4.0])
    costs = -values
    trap = values[costs.argsort() < 2]
    best = best_of(values, costs, 2)
    assert sorted(best.tolist()) == [3.0, 4.0]
    assert float(best.mean()) == 3.5
    assert float(trap.mean()) != pytest.approx(3.5)


def test_the_elite_mean_of_many_gaussian_samples() -> None:
    # The mean of the best tenth of a standard normal is 1.755.
    values = torch.randn(20000, generator=torch.Generator().manual_seed(0))
    assert float(best_of(values, -values, 2000).mean()) == pytest.approx(1.755, abs=0.03)


@pytest.mark.parametrize("wild", [math.nan, math.inf, -math.inf])
def test_a_non_finite_cost_never_ranks_as_an_elite(wild: float) -> None:
    values = torch.arange(6.0)
    costs = torch.tensor([wild, 5.0, wild, 3.0, 4.0, wild])
    assert best_of(values, costs, 2).tolist() == [3.0, 4.0]
    assert sorted(best_of(values, costs, 6).tolist()) == [1.0, 3.0, 4.0]


def update(momentum: float, min_sigma: float = 0.0) -> Search:
    config = CEMConfig(
        num_samples=4, horizon=1, elite_fraction=0.5, momentum=momentum, min_sigma=min_sigma
    )
    search = Search(torch.tensor([[1.0]]), torch.tensor([5.0]))
    candidates = torch.tensor([[[2.0]], [[9.0]], [[4.0]], [[8.0]]])
    return CEM(LIMITS, config).update(search, candidates, torch.tensor([0.0, 9.0, 1.0, 8.0]))


def test_mean_and_deviation_of_the_elites() -> None:
    found = update(momentum=0.0)
    assert found.mean is not None
    assert (found.mean.item(), found.std.item()) == pytest.approx((3.0, 1.0))


def test_momentum_keeps_a_part_of_the_old() -> None:
    found = update(momentum=0.25)
    assert found.mean is not None
    assert (found.mean.item(), found.std.item()) == pytest.approx((2.5, 2.0))


def test_the_deviation_has_a_floor() -> None:
    assert update(momentum=0.0, min_sigma=0.15).std.item() == pytest.approx(1.5)
