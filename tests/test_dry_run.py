"""What is tried before the first command: whether a plan fits, and how precise it must be."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from ros_mbmrl.adaptation.base import Adapted, AdaptReport
from ros_mbmrl.dry_run import DryRun, check_precision
from ros_mbmrl.dynamics.mlp import Parameters
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.errors import UserError
from ros_mbmrl.planning import make_planner
from ros_mbmrl.robots.spec import Robot

Prior = tuple[DynamicsModel, Parameters]
REPORT = AdaptReport(0, 0.0, 0.0, 0.0, False, "")


class Counting(DynamicsModel):
    """Its roll-outs take 10 us a candidate and step, and 1 ms each, by a clock of its own.

    A plan is four of them, but a small one.

    slow: how much longer in bfloat16. noise: what is added to the speed in bfloat16.
    """

    now, slow, noise = 0.0, 1.0, 0.0

    def predictor(self, parameters: Parameters, hidden: Any = None) -> Any:
        predict = super().predictor(parameters, hidden)
        rough = self.precision is torch.bfloat16

        def timed(state: torch.Tensor, actions: torch.Tensor) -> torch.Tensor:
            took = 1e-3 + 1e-5 * actions.shape[0] * actions.shape[1]
            Counting.now += took * (self.slow if rough else 1.0)
            states = predict(state, actions).clone()
            if rough:
                states[:, 1:, 3] -= self.noise * actions[..., 0]
            return states

        return timed


@pytest.fixture
def trial(robot: Robot, prior: Prior, task: Any) -> Callable[..., tuple[DryRun, Counting, Adapted]]:
    """A dry run, its model and parameters, for a planner and a robot of some period."""

    def make(period: float = 0.1, **parameters: Any) -> tuple[DryRun, Counting, Adapted]:
        model, weights = prior
        counting = Counting(model.robot, model.mlp, model.normalizer)
        planner: Any = make_planner("mppi", robot.spec, **parameters)
        dry = DryRun(robot, planner, task, np.zeros(4), clock=lambda: Counting.now)
        return dry, counting, Adapted(weights, REPORT)

    return make


def test_a_plan_that_fits_is_timed(trial: Any) -> None:
    dry, model, adapted = trial(num_samples=100, horizon=5)
    assert dry.check(model, adapted, 0.01) == pytest.approx(7e-3)


def test_a_plan_that_does_not_fit_says_what_would(trial: Any) -> None:
    dry, model, adapted = trial(num_samples=400, horizon=5)
    with pytest.raises(UserError) as caught:
        dry.check(model, adapted, 0.0142)
    message = str(caught.value)
    assert message == (
        "a plan of 400 candidates and 5 steps takes 24 ms on this machine, the period of 100 ms "
        "leaves 14.2 ms for it: expected about 203 candidates or a horizon of 2 at most"
    )
    count, steps = map(int, re.findall(r"about (\d+) candidates or a horizon of (\d+)", message)[0])
    for own in ({"num_samples": count}, {"horizon": steps}):  # and that does fit
        fitting, model, adapted = trial(**{"num_samples": 400, "horizon": 5, **own})
        assert fitting.check(model, adapted, 0.0143) <= 0.0143


def test_where_nothing_fits_the_period_is_too_short(trial: Any) -> None:
    dry, model, adapted = trial(num_samples=40, horizon=5)
    with pytest.raises(UserError, match="leaves 0.1 ms for it: expected a longer period$"):
        dry.check(model, adapted, 1e-4)


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
