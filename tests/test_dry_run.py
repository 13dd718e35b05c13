"""What is tried before the first command: whether a plan fits, and how precise it must be."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from ros_mbmrl import dry_run
from ros_mbmrl.adaptation.base import Adapted, AdaptReport
from ros_mbmrl.dry_run import DryRun, check_precision
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.errors import UserError
from ros_mbmrl.networks.mlp import Parameters
from ros_mbmrl.planning import make_planner
from ros_mbmrl.robots.spec import Robot

Prior = tuple[DynamicsModel, Parameters]
REPORT = AdaptReport(0, 0.0, 0.0, 0.0, False, "")


class Counting(DynamicsModel):
    """Its roll-outs take 10 us a candidate and step, and 1 ms each, by a clock of its own.

    A plan is four of them, but a small one.

    pace: how much longer it all takes. slow: how much longer in bfloat16. noise: what is added to
    the speed in bfloat16.
    """

    now, pace, slow, noise = 0.0, 1.0, 1.0, 0.0

    def predictor(self, parameters: Parameters, hidden: Any = None, spread: Any = None) -> Any:
        predict = super().predictor(parameters, hidden, spread)
        rough = self.precision is torch.bfloat16

        def timed(state: torch.Tensor, actions: torch.Tensor) -> torch.Tensor:
            took = 1e-3 + 1e-5 * actions.shape[0] * actions.shape[1]
            Counting.now += took * self.pace * (self.slow if rough else 1.0)
            states = predict(state, actions).clone()
            if rough:
                states[:, 1:, 3] -= self.noise * actions[..., 0]
            return states

        return timed


@pytest.fixture
def trial(robot: Robot, prior: Prior, task: Any) -> Callable[..., tuple[DryRun, Counting, Adapted]]:
    """A dry run, its model and parameters, for a planner and a robot of some period."""

    def make(name: str = "mppi", **parameters: Any) -> tuple[DryRun, Counting, Adapted]:
        model, weights = prior
        counting = Counting(model.robot, model.mlp, model.normalizer)
        planner: Any = make_planner(name, robot.spec, **parameters)
        dry = DryRun(robot, planner, task, np.zeros(4), clock=lambda: Counting.now)
        return dry, counting, Adapted(weights, REPORT)

    return make


def test_a_plan_that_fits_is_timed_and_stays_as_configured(trial: Any) -> None:
    dry, model, adapted = trial(num_samples=100, horizon=5)
    fit = dry.fit(model, adapted, 0.01)
    assert fit.seconds == pytest.approx(7e-3)
    assert fit.planner is dry.planner and fit.note == ""


def test_a_plan_that_does_not_fit_gets_fewer_candidates_and_says_so(trial: Any) -> None:
    dry, model, adapted = trial(num_samples=400, horizon=5)
    fit = dry.fit(model, adapted, 0.0142)
    count = fit.planner.config.num_samples
    assert 190 < count < 204  # 204 would just fit
    expected = (
        f"planning with {count} candidates and 5 steps: 400 candidates and 5 steps take 24 ms"
    )
    assert fit.note == expected
    assert fit.seconds <= 0.0142
    again, model, adapted = trial(num_samples=count, horizon=5)  # and that does fit
    assert again.fit(model, adapted, 0.0142).note == ""


def test_then_it_gets_fewer_steps(trial: Any) -> None:
    dry, model, adapted = trial(num_samples=400, horizon=6)
    fit = dry.fit(model, adapted, 6.5e-3)  # 100 candidates take 2 + 1 ms a step
    assert (fit.planner.config.num_samples, fit.planner.config.horizon) == (100, 4)
    assert fit.note.startswith("planning with 100 candidates and 4 steps: 400 candidates and 6 ")


@pytest.mark.parametrize("planner", ["mppi", "cem", "random_shooting"])
@pytest.mark.parametrize(("count", "horizon"), [(500, 5), (300, 5), (40, 8), (16, 1), (1, 3)])
def test_whatever_the_machine_what_is_chosen_fits_or_the_floor_does_not(
    trial: Any, monkeypatch: pytest.MonkeyPatch, planner: str, count: int, horizon: int
) -> None:
    monkeypatch.setattr(dry_run, "REPEATS", 1)  # by this clock, all take the same
    fewest, least = min(count, max(math.ceil(count / 4), 16)), math.ceil(horizon / 2)
    dry, model, adapted = trial(name=planner, num_samples=count, horizon=horizon)
    smallest = dry._seconds(dry.planner.resized(fewest, least), model, adapted)
    for left in np.geomspace(1e-4, 0.1, 12):
        if left < smallest - 1e-9:
            refused = f"smallest allowed, {fewest} candidates and {least} steps"
            with pytest.raises(UserError, match=refused):
                dry.fit(model, adapted, left)
            continue
        fit = dry.fit(model, adapted, left)
        config = fit.planner.config
        assert fit.seconds <= left
        assert fewest <= config.num_samples <= count and least <= config.horizon <= horizon
        assert (fit.note == "") is (config == dry.planner.config)


def test_where_nothing_fits_it_is_refused_with_what_the_smallest_takes(trial: Any) -> None:
    dry, model, adapted = trial(num_samples=40, horizon=5)
    with pytest.raises(UserError) as caught:
        dry.fit(model, adapted, 1e-4)
    assert str(caught.value) == (
        "a plan of 40 candidates and 5 steps takes 3 ms on this machine, the period of 100 ms "
        "leaves 0.1 ms for it; the smallest allowed, 16 candidates and 3 steps, takes 1.48 ms: "
        "expected a longer period or a faster machine"
    )


@pytest.mark.parametrize(
    ("slower", "threads", "note"),
    [
        (14.0, 1, "planning with 1 thread: 100 candidates and 5 steps and 2 threads take 98 ms"),
        (0.5, 2, ""),
        (0.9, 2, "planning with 60 candidates and 5 steps: "),
    ],
)
def test_threads_that_only_wait_for_each_other_are_given_up(
    trial: Any, monkeypatch: pytest.MonkeyPatch, slower: float, threads: int, note: str
) -> None:
    used = [2]
    monkeypatch.setattr(Counting, "pace", slower)

    def set_threads(count: int) -> None:
        used.append(count)
        monkeypatch.setattr(Counting, "pace", slower if count == 2 else 1.0)

    dry, model, adapted = trial(num_samples=100, horizon=5)
    dry = replace(dry, threads=2, set_threads=set_threads)
    fit = dry.fit(model, adapted, 7.1e-3 if slower > 1 else 4.5e-3)
    assert used[-1] == threads
    assert fit.note.startswith(note) and bool(fit.note) is bool(note)


@pytest.mark.parametrize(
    ("slow", "noise", "chosen"),
    [(0.4, 0.0, "bfloat16"), (0.9, 0.0, "float32"), (40.0, 0.0, "float32")],
)
def test_auto_takes_bfloat16_only_where_it_is_clearly_faster(
    trial: Any, monkeypatch: pytest.MonkeyPatch, slow: float, noise: float, chosen: str
) -> None:
    monkeypatch.setattr(Counting, "slow", slow)
    dry, model, adapted = trial(num_samples=64)
    name, why = dry.precision(model, adapted)
    assert name == chosen
    assert f"takes {slow:.2f} of the time" in why


def test_auto_keeps_float32_where_rounding_costs_too_much(
    trial: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Counting, "slow", 0.4)
    monkeypatch.setattr(Counting, "noise", 5.0)  # it takes braking for speeding up
    dry, model, adapted = trial(num_samples=64)
    name, why = dry.precision(model, adapted)
    assert name == "float32"
    cost = float(re.findall(r"costs \+([\d.]+) %", why)[0])
    assert cost > 2


def test_an_unknown_precision_is_refused() -> None:
    check_precision("auto")
    with pytest.raises(UserError, match="unknown precision 'half': expected one of auto, bfloat16"):
        check_precision("half")


def test_more_candidates_are_allowed_as_far_as_the_time_measured_reaches(trial: Any) -> None:
    dry, model, adapted = trial(num_samples=100, horizon=5)
    fit = dry.fit(model, adapted, 0.07)
    assert fit.most(0.07) == pytest.approx(900, abs=1)  # 7 ms of 70, less a tenth
    assert fit.most(0.7) == 1000  # tenfold at most
    assert fit.most(0.0071) == 100
    assert fit.told(0.07) == (
        "100 candidates and 5 steps take 7 ms of the 70 ms that the period leaves"
    )


def test_where_fewer_had_to_be_chosen_there_is_no_room_for_more(trial: Any) -> None:
    dry, model, adapted = trial(num_samples=400, horizon=5)
    fit = dry.fit(model, adapted, 0.0142)
    assert fit.most(0.0142) == fit.planner.config.num_samples < 400
