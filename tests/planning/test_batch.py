"""Planning for many robots at once: each plans as it would alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch
from torch import Generator, Tensor

from ros_mbmrl.planning.base import Plan, WarmStart
from ros_mbmrl.planning.batch import BatchPlanner, BatchStart, Plans
from ros_mbmrl.planning.cem import CEM, CEMConfig
from ros_mbmrl.planning.icem import ICEM, ICEMConfig
from ros_mbmrl.planning.mppi import MPPI, MPPIConfig
from ros_mbmrl.planning.random_shooting import RandomShooting, RandomShootingConfig
from ros_mbmrl.planning.sampling import Limits
from ros_mbmrl.planning.search import SamplingPlanner

LIMITS = Limits(torch.tensor([-1.0, 0.0]), torch.tensor([1.0, 4.0]), torch.tensor([0.5, 3.0]))
CONFIG = MPPIConfig(num_samples=40, horizon=6)
STATES = torch.tensor([[0.0, 0.0], [1.0, -2.0], [-3.0, 0.5]])
GOAL = torch.tensor([2.0, 1.0])


def roll(state: Tensor, actions: Tensor) -> Tensor:
    """Points that go where they are told: (..., ds), (..., H, da) -> (..., H+1, ds)."""
    ahead = state[..., None, :] + 0.3 * actions.cumsum(dim=-2)
    return torch.cat([state[..., None, :].expand_as(ahead[..., :1, :]), ahead], dim=-2)


def far(states: Tensor, actions: Tensor) -> Tensor:
    """Costs (...): squared distance, and nothing finite beyond x = 2.5."""
    costs = (states[..., 1:, :] - GOAL).square().sum((-2, -1))
    return torch.where(states[..., 0].amax(-1) > 2.5, torch.nan, costs)


def generators(count: int = 3) -> list[Generator]:
    return [Generator().manual_seed(seed) for seed in range(count)]


def plan(
    planner: BatchPlanner,
    states: Tensor,
    start: BatchStart,
    drawing: Sequence[Generator],
    wanted: Sequence[bool] | None = None,
) -> Plans:
    chosen = torch.tensor(wanted or [True] * len(states))
    return planner.plan(
        lambda s, a: roll(s[:, None].expand(-1, a.shape[1], -1), a),
        far,
        states,
        start,
        drawing,
        chosen,
    )


def alone(planner: SamplingPlanner, state: Tensor, start: WarmStart, generator: Generator) -> Plan:
    cost = lambda states, actions, _: far(states, actions)  # noqa: E731
    return planner.plan(roll, cost, state, torch.zeros(0), start, generator)


@pytest.mark.parametrize(
    "own",
    [
        MPPI(LIMITS, CONFIG),
        MPPI(LIMITS, replace(CONFIG, iterations=3, relative_temperature=False)),
        CEM(LIMITS, CEMConfig(num_samples=40, horizon=6, elite_fraction=0.25)),
        ICEM(LIMITS, ICEMConfig(num_samples=40, horizon=6, elite_fraction=0.25)),
        RandomShooting(LIMITS, RandomShootingConfig(num_samples=40, horizon=6)),
    ],
    ids=["mppi", "mppi 3", "cem", "icem", "random shooting"],
)
def test_each_plans_as_it_would_alone(own: SamplingPlanner) -> None:
    planner, together, apart = BatchPlanner(own), generators(), generators()
    start = planner.start(3)
    starts = [WarmStart(None, torch.zeros(2)) for _ in range(3)]
    for _ in range(4):
        plans = plan(planner, STATES, start, together)
        sent = plans.actions[:, 0] + torch.tensor([0.1, -0.1])  # not quite what was planned
        start = plans.shifted(sent)
        for n, drawing in enumerate(apart):
            single = alone(own, STATES[n], starts[n], drawing)
            torch.testing.assert_close(plans.actions[n], single.actions, atol=1e-5, rtol=1e-5)
            starts[n] = single.shifted(sent[n])


def test_a_plan_does_not_hang_on_who_else_is_there() -> None:
    planner = BatchPlanner(MPPI(LIMITS, CONFIG))
    three = plan(planner, STATES, planner.start(3), generators())
    two = plan(planner, STATES[1:], planner.start(2), generators()[1:])
    torch.testing.assert_close(two.actions, three.actions[1:])


def test_where_nothing_is_finite_a_robot_rests_and_is_told() -> None:
    planner, states = BatchPlanner(MPPI(LIMITS, replace(CONFIG, iterations=2))), STATES.clone()
    states[1, 0] = 9.0
    plans = plan(planner, states, planner.start(3), generators())
    assert plans.found.tolist() == [True, False, True]
    assert not plans.actions[1].any() and plans.actions.isfinite().all()
    unspoilt = plan(planner, STATES, planner.start(3), generators())
    torch.testing.assert_close(plans.actions[[0, 2]], unspoilt.actions[[0, 2]])


def test_it_starts_afresh_like_a_robot_whose_plan_failed() -> None:
    planner, drawing = BatchPlanner(MPPI(LIMITS, CONFIG)), generators()
    states = STATES.clone()
    states[1, 0] = 9.0
    plans = plan(planner, states, planner.start(3), drawing)
    after = plan(planner, STATES, plans.shifted(plans.actions[:, 0]), drawing)
    single = Generator().manual_seed(1)
    torch.randn(40, 6, 2, generator=single), torch.rand(40, 1, 2, generator=single)
    expected = alone(MPPI(LIMITS, CONFIG), STATES[1], WarmStart(None, torch.zeros(2)), single)
    torch.testing.assert_close(after.actions[1], expected.actions, atol=1e-5, rtol=1e-5)


def test_who_is_not_wanted_draws_nothing_and_rests() -> None:
    planner, drawing = BatchPlanner(MPPI(LIMITS, CONFIG)), generators()
    before = drawing[2].get_state()
    plans = plan(planner, STATES, planner.start(3), drawing, [True, True, False])
    assert plans.found.tolist() == [True, True, False] and not plans.actions[2].any()
    assert torch.equal(drawing[2].get_state(), before)


def test_plans_keep_to_range_and_rate() -> None:
    planner, drawing = BatchPlanner(MPPI(LIMITS, CONFIG)), generators()
    start = planner.start(3)
    for _ in range(5):
        plans = plan(planner, STATES, start, drawing)
        assert ((plans.actions >= LIMITS.low) & (plans.actions <= LIMITS.high)).all()
        steps = torch.cat([start.previous[:, None], plans.actions], dim=1).diff(dim=1).abs()
        assert (steps <= LIMITS.max_step + 1e-6).all()
        start = plans.shifted(plans.actions[:, 0])


def test_rest_is_the_command_nearest_to_zero() -> None:
    limits = replace(LIMITS, low=torch.tensor([0.5, 0.0]))
    start = BatchPlanner(MPPI(limits, CONFIG)).start(2)
    assert start.previous.tolist() == [[0.5, 0.0]] * 2 and not start.known.any()


def test_a_cost_of_another_shape_is_refused() -> None:
    planner = BatchPlanner(MPPI(LIMITS, CONFIG))
    with pytest.raises(ValueError, match=r"expected \(3, 40\) costs, got \(3,\)"):
        planner.plan(
            lambda s, a: roll(s[:, None].expand(-1, a.shape[1], -1), a),
            lambda states, actions: far(states, actions).sum(1),
            STATES,
            planner.start(3),
            generators(),
            torch.ones(3, dtype=torch.bool),
        )
