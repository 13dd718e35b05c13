"""Outcomes on a system that is known: a mass on a line, pushed to the origin and kept there."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from ros_mbmrl.planning import make_planner
from ros_mbmrl.planning.base import WarmStart
from ros_mbmrl.robots.quantities import Limit, Quantity
from ros_mbmrl.robots.spec import Envelope, RobotSpec

PERIOD = 0.1
MASS = RobotSpec(
    name="mass",
    period=PERIOD,
    measurement=(),
    channels=(),
    state=(Quantity("x", "m"), Quantity("v", "m/s")),
    action=(Limit("push", "m/s^2", low=-2.0, high=2.0, rate=10.0),),
    features=(),
    changes=(),
    change_weights=(),
    envelope=Envelope(1.0, 1.0, 1.0),
)


def predict(state: Tensor, actions: Tensor) -> Tensor:
    """Exact for a push that is constant over a period."""
    states = [state]
    for push in actions.unbind(1):
        x, v = states[-1].unbind(-1)
        a = push[:, 0]
        states.append(torch.stack([x + v * PERIOD + a * PERIOD**2 / 2, v + a * PERIOD], dim=-1))
    return torch.stack(states, dim=1)


def cost(states: Tensor, actions: Tensor, reference: Tensor) -> Tensor:
    x, v = states[:, 1:].unbind(-1)
    return (x.square() + 0.1 * v.square()).mean(1)


def drive(name: str, steps: int = 60, seed: int = 0, **parameters: float) -> tuple[Tensor, Tensor]:
    """States (steps + 1, 2) and pushes (steps, 1) from rest at 1 m."""
    planner = make_planner(name, MASS, horizon=15, **parameters)
    generator = torch.Generator().manual_seed(seed)
    states, pushes = [torch.tensor([1.0, 0.0])], []
    start = WarmStart(None, torch.zeros(1))
    with torch.inference_mode():
        for _ in range(steps):
            plan = planner.plan(predict, cost, states[-1], torch.empty(0), start, generator)
            start = plan.shifted(plan.action)
            pushes.append(plan.action)
            states.append(predict(states[-1][None], plan.action[None, None])[0, 1])
    return torch.stack(states), torch.stack(pushes)


def total(states: Tensor) -> float:
    return float((states[:, 0].square() + 0.1 * states[:, 1].square()).sum())


# The optimum is 7.39: CEM with 3000 samples, and no more with more.
@pytest.mark.parametrize(("name", "below"), [("mppi", 7.9), ("cem", 7.6), ("random_shooting", 9.0)])
def test_the_mass_reaches_the_origin_and_stays(name: str, below: float) -> None:
    states, pushes = drive(name, num_samples=200)
    assert states[-10:, 0].abs().max() < 0.05
    assert pushes.abs().max() <= 2.0
    assert pushes.diff(dim=0).abs().max() <= 1.0 + 1e-5
    assert total(states) < below


def test_mppi_beats_random_shooting_at_equal_samples() -> None:
    def mean(name: str) -> float:
        return sum(total(drive(name, num_samples=30, seed=seed)[0]) for seed in range(5)) / 5

    assert mean("mppi") < mean("random_shooting")


def test_two_iterations_are_no_worse_than_one() -> None:
    def mean(iterations: int) -> float:
        runs = (drive("mppi", num_samples=30, seed=s, iterations=iterations) for s in range(5))
        return sum(total(states) for states, _ in runs) / 5

    assert mean(2) < mean(1) + 0.05
