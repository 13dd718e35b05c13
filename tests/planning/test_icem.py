"""Coloured noise, elites that take part again, and how much better it finds a narrow optimum."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Generator, Tensor

from ros_mbmrl.planning.base import WarmStart
from ros_mbmrl.planning.cem import CEM, CEMConfig
from ros_mbmrl.planning.icem import ICEM, ICEMConfig, colour
from ros_mbmrl.planning.sampling import Limits
from ros_mbmrl.planning.search import Search

LIMITS = Limits(torch.tensor([-1.0]), torch.tensor([1.0]), torch.tensor([2.0]))


@pytest.mark.parametrize("exponent", [0.0, 0.5, 2.0])
def test_the_noise_has_variance_one_and_the_spectrum_asked_for(exponent: float) -> None:
    steps = 32
    white = torch.randn(20_000, steps, generator=Generator().manual_seed(0))
    noise = white @ colour(steps, exponent).T
    torch.testing.assert_close(noise.var(dim=0), torch.ones(steps), atol=0.05, rtol=0.0)
    power = torch.fft.rfft(noise, dim=1).abs().square().mean(dim=0)
    # From f = 2/32 to f = 8/32: down by 4^exponent.
    assert float(power[2] / power[8]) == pytest.approx(4.0**exponent, rel=0.05)


def test_correlated_on_top_it_still_has_variance_one() -> None:
    kernel = colour(16, 0.5, correlation=0.8)
    torch.testing.assert_close(kernel.square().sum(dim=1), torch.ones(16))
    neighbours = (kernel[1:] * kernel[:-1]).sum(dim=1)
    assert float(neighbours.min()) > 0.6


def test_white_noise_is_left_alone() -> None:
    torch.testing.assert_close(colour(7, 0.0), torch.eye(7), atol=1e-6, rtol=0.0)


def test_the_best_elites_take_part_again_in_order() -> None:
    config = ICEMConfig(num_samples=10, horizon=1, elite_fraction=0.4, kept_fraction=0.5)
    candidates = torch.arange(10.0)[:, None, None] / 10
    costs = torch.tensor([9.0, math.nan, 3.0, 8.0, 1.0, 7.0, 2.0, 9.0, 9.0, 9.0])
    found = ICEM(LIMITS, config).update(Search(None, torch.tensor([1.0])), candidates, costs)
    assert found.elites is not None
    assert found.elites.flatten().tolist() == pytest.approx([0.4, 0.6])


def test_where_fewer_are_finite_the_best_stands_in() -> None:
    config = ICEMConfig(num_samples=4, horizon=1, elite_fraction=0.75, kept_fraction=1.0)
    candidates = torch.arange(4.0)[:, None, None] / 10
    costs = torch.tensor([math.nan, 2.0, math.inf, math.nan])
    found = ICEM(LIMITS, config).update(Search(None, torch.tensor([1.0])), candidates, costs)
    assert found.mean is not None and found.elites is not None
    assert found.mean.item() == pytest.approx(0.1)
    assert found.elites.flatten().tolist() == pytest.approx([0.1] * 3)


def predict(state: Tensor, actions: Tensor) -> Tensor:
    ahead = state[:, None] + actions.cumsum(dim=1)
    return torch.cat([state[:, None], ahead], dim=1)


def test_elites_of_the_last_period_are_tried_moved_on_a_step() -> None:
    tried: list[Tensor] = []

    def cost(states: Tensor, actions: Tensor, _: Tensor) -> Tensor:
        tried.append(actions)
        return (actions - 0.5).square().sum((1, 2))

    planner = ICEM(LIMITS, ICEMConfig(num_samples=20, horizon=4, iterations=1, elite_fraction=0.5))
    drawing = Generator().manual_seed(0)
    begin = WarmStart(None, torch.zeros(1))
    plan = planner.plan(predict, cost, torch.zeros(1), torch.zeros(0), begin, drawing)
    assert plan.elites is not None and plan.elites.shape == (3, 4, 1)
    again = plan.shifted(plan.action)
    planner.plan(predict, cost, torch.zeros(1), torch.zeros(0), again, drawing)
    moved = torch.cat([plan.elites[:, 1:], plan.elites[:, -1:]], dim=1)
    torch.testing.assert_close(tried[1][1:4], moved)


def test_carried_elites_find_more_than_forgetting_them() -> None:
    """Costs after some periods with few candidates: a target far out, which takes small steps."""

    def cost(states: Tensor, actions: Tensor, _: Tensor) -> Tensor:
        return (states[:, 1:] - 8.0).abs().sum((1, 2)) + 3.0 * actions.diff(dim=1).abs().sum((1, 2))

    def reached(planner: CEM, seed: int) -> float:
        start, drawing = WarmStart(None, torch.zeros(1)), Generator().manual_seed(seed)
        for _ in range(5):
            plan = planner.plan(predict, cost, torch.zeros(1), torch.zeros(0), start, drawing)
            start = plan.shifted(plan.action)
        actions = plan.actions[None]
        return float(cost(predict(torch.zeros(1, 1), actions), actions, torch.zeros(0)))

    size = {"num_samples": 24, "horizon": 20, "elite_fraction": 0.2, "sigma": 0.3}
    plain = {"correlation": 0.0, "held_fraction": 0.0}
    ours = [reached(ICEM(LIMITS, ICEMConfig(**size)), seed) for seed in range(8)]
    theirs = [reached(CEM(LIMITS, CEMConfig(**size, **plain)), seed) for seed in range(8)]
    assert sum(ours) < sum(theirs)
    assert sum(a < b for a, b in zip(ours, theirs, strict=True)) >= 6


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"exponent": -0.1}, "exponent: expected a number from 0 to 4, got -0.1"),
        ({"kept_fraction": 1.5}, "kept_fraction: expected a number from 0 to 1"),
        ({"horizon": 0}, "horizon: expected an integer above 0, got 0"),
    ],
)
def test_wrong_settings_are_refused(wrong: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ICEMConfig(**wrong)  # type: ignore[arg-type]
