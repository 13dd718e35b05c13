"""Controller: a plan starts where the commands under way lead, and from the plan before it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from ros_mbmrl.adaptation import make_rule
from ros_mbmrl.adaptation.base import Adapted, AdaptReport
from ros_mbmrl.agents.controller import Controller
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.networks.ensemble import Ensemble
from ros_mbmrl.networks.mlp import Parameters
from ros_mbmrl.planning import make_planner
from ros_mbmrl.planning.base import NoFinitePlan, Plan
from ros_mbmrl.robots.delay import Delay
from ros_mbmrl.robots.spec import Robot

Prior = tuple[DynamicsModel, Parameters]
REPORT = AdaptReport(0, 0.0, 0.0, 0.0, False, "")
START = np.zeros(4)


class FirstGuess:
    """A planner that keeps what it was asked, and holds one command."""

    def plan(self, predict, cost, state, reference, warm_start, generator, deadline=None):  # type: ignore[no-untyped-def]
        actions = torch.ones(1, 3, 2)
        self.state, self.states = state, predict(state[None], actions)[0]
        self.start = warm_start
        return Plan(actions[0, 0], actions[0], 0.0, 0.0, 1, 1)


def make(robot: Robot, task: Any, planner: Any) -> Controller:
    return Controller(robot, planner, task, torch.Generator().manual_seed(0))


def test_a_plan_starts_where_the_commands_already_sent_lead(
    robot: Robot, prior: Prior, task: Any
) -> None:
    model, parameters = prior
    planner = FirstGuess()
    controller = make(robot, task, planner)
    for speed in (0.2, 0.6):
        controller.commanded(np.array([speed, speed]))
    controller.plan(model, Adapted(parameters, REPORT), START, delay=Delay(1, 0.25))
    predict = model.predictor(parameters)
    now = torch.as_tensor(START, dtype=torch.float32)[None]
    # Of the two: 3/4 of the newer, then a quarter of it and 3/4 of what is planned.
    means = torch.tensor([0.75 * 0.6 + 0.25 * 0.2, 0.25 * 0.6 + 0.75 * 1.0, 1.0, 1.0])
    expected = predict(now, means[None, :, None].expand(1, 4, 2))[0]
    torch.testing.assert_close(planner.state, expected[1])
    torch.testing.assert_close(planner.states, expected[1:])


def test_another_planner_begins_without_a_plan_and_from_the_last_command(
    robot: Robot, prior: Prior, task: Any
) -> None:
    model, adapted = prior[0], Adapted(prior[1], REPORT)
    controller, other = make(robot, task, FirstGuess()), FirstGuess()
    controller.plan(model, adapted, START)
    controller.commanded(np.array([0.5, -0.5]))
    controller.begin_with(other)
    controller.plan(model, adapted, START)
    assert other.start.actions is None
    assert other.start.previous.tolist() == [0.5, -0.5]


def test_the_next_plan_starts_from_what_was_really_sent(
    robot: Robot, prior: Prior, task: Any
) -> None:
    model, adapted = prior[0], Adapted(prior[1], REPORT)
    planner = FirstGuess()
    controller = make(robot, task, planner)
    controller.plan(model, adapted, START)
    assert planner.start.actions is None and planner.start.previous.tolist() == [0.0, 0.0]
    controller.commanded(np.array([0.5, -0.5]))  # not what was planned
    controller.plan(model, adapted, START)
    assert planner.start.previous.tolist() == [0.5, -0.5]
    assert planner.start.actions is not None and (planner.start.actions == 1.0).all()


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_a_state_that_is_no_number_has_no_plan_and_none_goes_on_from_it(
    robot: Robot, prior: Prior, task: Any, wrong: float
) -> None:
    model, adapted = prior[0], Adapted(prior[1], REPORT)
    controller = make(robot, task, make_planner("mppi", robot.spec, num_samples=8))
    controller.plan(model, adapted, START)
    with pytest.raises(NoFinitePlan, match="not finite"):
        controller.plan(model, adapted, np.full(4, wrong))
    controller.commanded(np.zeros(2))
    assert controller._warm_start.actions is None


@pytest.mark.parametrize("delay", [Delay(), Delay(1, 0.5)])
def test_an_ensemble_is_replayed_without_a_deadline_to_the_commands_it_had_with_one(
    robot: Robot, prior: Prior, task: Any, delay: Delay
) -> None:
    mlp = Ensemble(prior[0].mlp.sizes, members=4)
    model = replace(prior[0], mlp=mlp)
    adapted = Adapted(mlp.init(torch.Generator().manual_seed(1)), REPORT)

    def commands(deadline: Any) -> np.ndarray:
        planner = make_planner("icem", robot.spec, num_samples=300, horizon=5)
        controller, sent = make(robot, task, planner), []
        for k in range(4):
            action = controller.plan(model, adapted, START + 0.1 * k, deadline, delay).action
            controller.commanded(action.numpy())
            sent.append(action.numpy())
        return np.stack(sent)

    np.testing.assert_allclose(commands(lambda: 1e9), commands(None), atol=1e-5)


def test_risk_is_what_a_latent_variable_leaves_open(robot: Robot, prior: Prior, task: Any) -> None:
    model, parameters = prior
    rule = make_rule("mlsm_v0").init(model.mlp, parameters, torch.Generator().manual_seed(0))
    hidden = parameters["b0"].shape[0]

    def planned(risk: float, spread: torch.Tensor | None) -> torch.Tensor:
        planner = make_planner("icem", robot.spec, num_samples=16, horizon=3, risk=risk)
        adapted = Adapted({**parameters, **rule}, REPORT, spread=spread)
        return make(robot, task, planner).plan(model, adapted, START, delay=Delay(0, 0.5)).actions

    spread = torch.randn(2, hidden, generator=torch.Generator().manual_seed(1))
    by_mean = planned(0.0, None)
    assert torch.equal(planned(0.0, spread), by_mean)
    assert torch.equal(planned(50.0, None), by_mean)  # nothing is known to be open
    assert not torch.allclose(planned(50.0, spread), by_mean)
