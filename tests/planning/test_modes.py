"""Planning against the clock: each mode, what it returns, and what it never does. No real time."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from ros_mbmrl.planning import PLANNERS, make_planner
from ros_mbmrl.planning.base import NoFinitePlan, NoTime, Plan, WarmStart
from ros_mbmrl.planning.modes import Mode
from ros_mbmrl.robots import make_robot

SPEC = make_robot("hexapod").spec
HIGH = torch.as_tensor(SPEC.action_high, dtype=torch.float32)
STEP = torch.as_tensor(SPEC.action_step, dtype=torch.float32)
SENT = torch.tensor([20.0, 20.0])
PREVIOUS = torch.tensor([[22.0, 18.0], [24.0, 16.0], [26.0, 15.0], [28.0, 14.0]])
WARM = WarmStart(PREVIOUS, SENT)
TARGET = torch.tensor([40.0, 30.0])
BLOCK = 0.010  # [s] for 64 candidates of 4 steps


class Rig:
    """A planner, and a model that takes time by its own clock; remembers what it was asked."""

    def __init__(self, name: str = "mppi", **parameters: Any) -> None:
        given: dict[str, Any] = {"num_samples": 256, "horizon": 4, "iterations": 1, **parameters}
        if name == "random_shooting":
            del given["iterations"]
        self.planner = make_planner(name, SPEC, **given)
        self.now, self.slowness = 0.0, 1.0
        self.asked: list[Tensor] = []
        self.begun: list[float] = []
        self.costs: list[Tensor] = []

    def predict(self, state: Tensor, actions: Tensor) -> Tensor:
        self.asked.append(actions.clone())
        self.begun.append(self.now)
        self.now += self.slowness * BLOCK * len(actions) * actions.shape[1] / (64 * 4)
        return torch.cat([state[:, None], state[:, None] + actions.cumsum(1)], dim=1)

    def cost(self, states: Tensor, actions: Tensor, reference: Tensor) -> Tensor:
        costs = ((actions - reference) / HIGH).square().mean((1, 2))
        self.costs.append(costs.clone())
        return costs

    def plan(self, seconds: float | None, start: WarmStart = WARM, seed: int = 0) -> Plan:
        self.asked, self.begun, self.costs = [], [], []
        until = self.now + (seconds or 0.0)
        return self.planner.plan(
            self.predict,
            self.cost,
            torch.zeros(2),
            TARGET,
            start,
            torch.Generator().manual_seed(seed),
            None if seconds is None else lambda: until - self.now,
        )


def within_limits(actions: Tensor, sent: Tensor = SENT) -> bool:
    steps = torch.cat([sent[None], actions]).diff(dim=0).abs()
    return bool((actions >= 0).all() and (actions <= HIGH).all() and (steps <= STEP + 1e-4).all())


def every_planner(function: Any) -> Any:
    return pytest.mark.parametrize("name", sorted({*PLANNERS} - {"policy"}))(function)


@every_planner
@pytest.mark.parametrize("seconds", [None, 1.0])
def test_with_time_enough_everything_is_imagined(name: str, seconds: float | None) -> None:
    rig = Rig(name)
    found = rig.plan(seconds)
    assert (found.mode, found.samples) == (Mode.FULL, 256)
    assert sum(map(len, rig.asked)) == 256
    assert found.actions.shape == (4, 2)


@every_planner
def test_a_deadline_that_is_far_changes_nothing_but_rounding(name: str) -> None:
    torch.testing.assert_close(Rig(name).plan(None).actions, Rig(name).plan(9.0).actions)


@every_planner
def test_fewer_candidates_when_time_ends(name: str) -> None:
    found = Rig(name).plan(0.025)
    assert (found.mode, found.samples) == (Mode.FEWER_CANDIDATES, 128)
    assert within_limits(found.actions)


@pytest.mark.parametrize("name", ["mppi", "cem"])
def test_fewer_iterations_are_fewer_candidates(name: str) -> None:
    found = Rig(name, iterations=2).plan(0.055)
    assert (found.mode, found.samples) == (Mode.FEWER_CANDIDATES, 64)  # of the second


def test_every_block_has_its_share_of_held_candidates() -> None:
    rig = Rig(held_fraction=0.25)
    rig.plan(1.0)
    assert [len(actions) for actions in rig.asked] == [64] * 4
    for actions in rig.asked:
        assert int((actions == actions[:, :1]).all(2).all(1).sum()) in (15, 16, 17)


@pytest.mark.parametrize("name", ["mppi", "cem"])
@pytest.mark.parametrize("blocks", [1, 2, 3, 4])
def test_the_best_is_never_worse_than_the_previous_plan(name: str, blocks: int) -> None:
    rig = Rig(name)
    found = rig.plan(BLOCK * (blocks + 0.5))
    assert len(rig.asked) == blocks
    assert torch.equal(rig.asked[0][0], PREVIOUS)
    assert found.cost_min <= float(rig.costs[0][0])
    assert found.cost_min == float(torch.cat(rig.costs).min())


@settings(max_examples=60, deadline=None)
@given(
    seconds=st.floats(-0.02, 0.2),
    name=st.sampled_from(sorted({*PLANNERS} - {"policy"})),
    slowness=st.floats(0.1, 3.0),
)
def test_no_block_is_begun_that_would_not_end_in_time(
    seconds: float, name: str, slowness: float
) -> None:
    rig = Rig(name, **({} if name == "random_shooting" else {"iterations": 2}))
    rig.slowness = slowness
    found = rig.plan(seconds)
    assert within_limits(found.actions)
    assert all(begun < max(seconds, 0.0) for begun in rig.begun)
    if len(rig.asked) > 1:  # only the first one's cost is not known
        assert rig.now <= seconds + 1e-9


@every_planner
def test_more_time_is_never_less_search(name: str) -> None:
    counts = [sum(map(len, _asked(name, 0.005 * k))) for k in range(1, 12)]
    assert counts == sorted(counts)
    assert counts[-1] == 256


def _asked(name: str, seconds: float) -> list[Tensor]:
    rig = Rig(name)
    rig.plan(seconds)
    return rig.asked


@every_planner
def test_a_shorter_horizon_when_the_first_block_would_not_fit(name: str) -> None:
    rig = Rig(name)
    rig.slowness = 4.0
    rig.plan(1.0)  # 40 ms a block, as it turns out
    found = rig.plan(0.025)
    assert found.mode is Mode.SHORTER_HORIZON
    assert [actions.shape[1] for actions in rig.asked] == [2]
    assert found.actions.shape == (4, 2)
    assert within_limits(found.actions)
    # The rest is the previous plan's, as far as it can be reached.
    reachable = (PREVIOUS[2] - found.actions[1]).clamp(-STEP, STEP)
    torch.testing.assert_close(found.actions[2], found.actions[1] + reachable)


def test_a_cold_start_with_a_shorter_horizon_holds_its_last_action() -> None:
    rig = Rig()
    rig.slowness = 4.0
    rig.plan(1.0)
    found = rig.plan(0.025, WarmStart(None, SENT))
    assert found.mode is Mode.SHORTER_HORIZON
    assert torch.equal(found.actions[2:], found.actions[1:2].expand(2, -1))


@every_planner
def test_no_time_is_the_previous_plan_and_no_look_at_the_model(name: str) -> None:
    rig = Rig(name)
    found = rig.plan(-0.001)
    assert (found.mode, found.samples, rig.asked) == (Mode.PREVIOUS_PLAN, 0, [])
    assert torch.equal(found.actions, PREVIOUS)
    assert torch.equal(found.action, PREVIOUS[0])
    assert math.isnan(found.cost_min)


def test_the_previous_plan_is_brought_within_reach_of_what_was_sent() -> None:
    sent = torch.tensor([0.0, 50.0])
    found = Rig().plan(0.0, WarmStart(PREVIOUS * 3, sent))
    assert within_limits(found.actions, sent)


@every_planner
def test_a_previous_plan_is_used_up_after_its_horizon(name: str) -> None:
    rig = Rig(name)
    assert [rig.plan(0.0).mode for _ in range(3)] == [Mode.PREVIOUS_PLAN] * 3
    with pytest.raises(NoTime, match="no time to plan for 4 periods"):
        rig.plan(0.0)
    assert rig.plan(1.0).mode is Mode.FULL
    assert rig.plan(0.0).mode is Mode.PREVIOUS_PLAN


def test_a_previous_plan_of_nan_is_no_plan() -> None:
    with pytest.raises(NoFinitePlan):
        Rig().plan(0.0, WarmStart(PREVIOUS * math.nan, SENT))


@every_planner
def test_without_a_previous_plan_one_block_is_imagined_however_late(name: str) -> None:
    rig = Rig(name)
    found = rig.plan(-1.0, WarmStart(None, SENT))
    assert (len(rig.asked), found.samples) == (1, 64)
    assert found.mode is Mode.FEWER_CANDIDATES
    assert within_limits(found.actions)


def test_after_a_slow_moment_planning_comes_back() -> None:
    rig = Rig()
    rig.slowness = 100.0
    rig.plan(0.05)  # a second a block
    rig.slowness = 1.0
    modes = [rig.plan(0.05).mode for _ in range(8)]
    assert modes[0] is Mode.PREVIOUS_PLAN
    assert Mode.SHORTER_HORIZON in modes
    assert modes[-1] is Mode.FULL


def test_non_finite_costs_of_the_blocks_in_time_get_no_weight() -> None:
    rig = Rig()
    cost = rig.cost

    def wild(states: Tensor, actions: Tensor, reference: Tensor) -> Tensor:
        costs = cost(states, actions, reference)
        costs[1::2] = math.nan
        return costs

    rig.cost = wild  # type: ignore[method-assign]
    found = rig.plan(0.025)
    assert (found.finite, found.samples) == (64, 128)
    assert found.actions.isfinite().all()


def test_modes_have_a_label_and_a_meaning_each() -> None:
    assert len({mode.label for mode in Mode}) == len({mode.meaning for mode in Mode}) == len(Mode)
