"""The loop that every sampling planner shares, on a model that is a sum of actions."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from ros_mbmrl.planning import PLANNERS, make_planner
from ros_mbmrl.planning.base import NoFinitePlan, Plan, WarmStart
from ros_mbmrl.robots import make_robot

SPEC = make_robot("hexapod").spec


HIGH = torch.as_tensor(SPEC.action_high, dtype=torch.float32)


STEP = torch.as_tensor(SPEC.action_step, dtype=torch.float32)


COLD = WarmStart(None, torch.zeros(2))


TARGET = torch.tensor([30.0, 20.0])


class Model:
    """The state is the sum of the actions so far; remembers what it was asked to roll out."""

    def __init__(self) -> None:
        self.asked: list[Tensor] = []

    def __call__(self, state: Tensor, actions: Tensor) -> Tensor:
        assert len(state) == len(actions)
        self.asked.append(actions.clone())
        return torch.cat([state[:, None], state[:, None] + actions.cumsum(1)], dim=1)


def to_target(states: Tensor, actions: Tensor, reference: Tensor) -> Tensor:
    return ((actions - reference) / HIGH).square().mean((1, 2))


def plan(
    name: str,
    cost: Any = to_target,
    start: WarmStart = COLD,
    seed: int = 0,
    model: Any = None,
    deadline: Any = None,
    **parameters: Any,
) -> Plan:
    planner = make_planner(name, SPEC, **parameters)
    generator = torch.Generator().manual_seed(seed)
    with torch.inference_mode():
        return planner.plan(
            model or Model(), cost, torch.zeros(2), TARGET, start, generator, deadline
        )


def every_planner(function: Any) -> Any:
    return pytest.mark.parametrize("name", sorted({*PLANNERS} - {"policy"}))(function)


@every_planner
def test_one_nan_cost_does_not_poison_the_plan(name: str) -> None:
    def cost(states: Tensor, actions: Tensor, reference: Tensor) -> Tensor:
        costs = to_target(states, actions, reference)
        costs[3], costs[4], costs[5] = math.nan, math.inf, -math.inf
        return costs

    found = plan(name, cost, num_samples=50)
    assert found.actions.isfinite().all()
    assert (found.finite, found.samples) == (47, 50)
    assert math.isfinite(found.cost_min)
    assert found.cost_min <= found.cost_mean


@every_planner
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_all_non_finite_costs_raise_no_finite_plan(name: str, value: float) -> None:
    with pytest.raises(NoFinitePlan):
        plan(name, lambda states, actions, reference: torch.full((len(actions),), value))


@every_planner
def test_a_non_finite_previous_command_raises_no_finite_plan(name: str) -> None:
    with pytest.raises(NoFinitePlan):
        plan(name, start=WarmStart(None, torch.tensor([math.nan, 0.0])))


@every_planner
def test_a_later_iteration_without_finite_costs_keeps_the_earlier_plan(name: str) -> None:
    calls = []

    def cost(states: Tensor, actions: Tensor, reference: Tensor) -> Tensor:
        calls.append(1)
        costs = to_target(states, actions, reference)
        return costs if len(calls) == 1 else costs * math.nan

    assert plan(name, cost).actions.isfinite().all()


@every_planner
def test_rollouts_are_clipped_the_same_as_the_executed_action(name: str) -> None:
    previous, model = torch.tensor([10.0, 40.0]), Model()
    found = plan(
        name,
        lambda states, actions, reference: -actions.sum((1, 2)) / 100,
        start=WarmStart(None, previous),
        model=model,
        sigma=3.0,
        horizon=4,
    )
    for actions in [*model.asked, found.actions[None], found.action[None, None]]:
        path = torch.cat([previous.expand(len(actions), 1, 2), actions], dim=1)
        assert (path >= 0).all()
        assert (path <= HIGH).all()
        assert (path.diff(dim=1).abs() <= STEP + 1e-4).all()
    assert found.action.tolist() == pytest.approx(found.actions[0].tolist())
    assert found.action[0] > 10.0 + 0.8 * STEP[0]  # it went as fast as it may


@every_planner
def test_the_same_seed_gives_the_same_plan(name: str) -> None:
    assert torch.equal(plan(name, seed=3).actions, plan(name, seed=3).actions)
    assert not torch.equal(plan(name, seed=3).actions, plan(name, seed=4).actions)


@every_planner
def test_a_planner_keeps_nothing_between_plans(name: str) -> None:
    planner = make_planner(name, SPEC)

    def once() -> Tensor:
        generator = torch.Generator().manual_seed(1)
        return planner.plan(Model(), to_target, torch.zeros(2), TARGET, COLD, generator).actions

    assert torch.equal(once(), once())


@every_planner
def test_more_samples_find_a_better_plan(name: str) -> None:
    def error(count: int) -> float:
        plans = [plan(name, num_samples=count, seed=seed).actions for seed in range(8)]
        costs = to_target(torch.empty(0), torch.stack(plans)[:, 1:], TARGET)
        return float(costs.mean())

    assert error(500) < error(5)


@pytest.mark.parametrize("name", ["mppi", "cem"])
def test_the_warm_start_is_searched_around(name: str) -> None:
    model = Model()
    actions = torch.tensor([[20.0, 20.0], [22.0, 18.0], [24.0, 16.0]])
    plan(name, start=WarmStart(actions, actions[0]), model=model, horizon=3, sigma=0.05)
    assert torch.equal(model.asked[0][0], actions)
    assert (model.asked[0].mean(0) - actions).abs().max() < 2.0


def test_a_warm_start_of_another_horizon_is_refused() -> None:
    with pytest.raises(ValueError, match=r"expected shape \(5, 2\)"):
        plan("mppi", start=WarmStart(torch.zeros(4, 2), torch.zeros(2)))


@pytest.mark.parametrize("name", ["mppi", "cem"])
def test_the_deadline_ends_the_search_with_what_there_is(name: str) -> None:
    def iterations(seconds: float) -> int:
        model, left = Model(), iter([seconds - 0.01 * k for k in range(20)])
        # one block an iteration
        plan(name, model=model, deadline=lambda: next(left), iterations=6, num_samples=64)
        return len(model.asked)

    assert iterations(1.0) == 6
    assert iterations(0.035) == 3  # 10 ms each: a fourth would not end in time
    assert iterations(-1.0) == 1


@every_planner
def test_a_retuned_planner_goes_on_from_the_last_plan_and_its_settings_act(name: str) -> None:
    planner: Any = make_planner(name, SPEC, num_samples=32, horizon=4)
    tuned = planner.retuned(replace(planner.config, num_samples=64, sigma=0.5))
    generator = torch.Generator().manual_seed(0)
    first = planner.plan(Model(), to_target, torch.zeros(2), TARGET, COLD, generator, lambda: 9.0)
    model = Model()
    with torch.inference_mode():
        start = first.shifted(first.action)
        found = tuned.plan(model, to_target, torch.zeros(2), TARGET, start, generator)
    assert found.samples == 64 and found.actions.shape == (4, 2)
    assert tuned._pace is planner._pace
    if name != "random_shooting":  # it starts anew
        assert torch.allclose(model.asked[0][0], start.actions)
    with pytest.raises(ValueError, match="horizon: expected 4, got 5"):
        planner.retuned(replace(planner.config, horizon=5))


@every_planner
def test_every_setting_that_may_change_changes_the_candidates_or_their_weights(name: str) -> None:
    config = make_planner(name, SPEC).config  # type: ignore[attr-defined]
    usual = plan(name, horizon=4)
    for setting, live in config.LIVE.items():
        value = getattr(config, setting)
        other = value + 7 if live.whole else (0.3 if value < 0.2 else 0.5 * value)
        other = max(other, getattr(config, "min_sigma", 0.0)) if setting == "sigma" else other
        found = plan(name, horizon=4, **{setting: other})
        same = torch.equal(found.actions, usual.actions) and found.cost_mean == usual.cost_mean
        assert not same, setting
