"""ReBAL: the hidden state is the window's, and what is trained is what planning does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from ros_mbmrl.adaptation.base import Support
from ros_mbmrl.adaptation.guard import Guard, GuardConfig
from ros_mbmrl.adaptation.rebal import ReBAL
from ros_mbmrl.adaptation.window import LiveWindow
from ros_mbmrl.agents.controller import Controller
from ros_mbmrl.data.rollout import Rollout
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.learning.models.objective import meta_loss
from ros_mbmrl.learning.open_loop import open_loop_errors
from ros_mbmrl.learning.segments import Transitions
from ros_mbmrl.networks.mlp import MLP, Parameters
from ros_mbmrl.networks.recurrent import advance, condition, observe
from ros_mbmrl.planning import make_planner
from ros_mbmrl.robots.spec import Robot

NETWORK, RULE = MLP((3, 6, 2)), ReBAL(size=4)


def conditioned(mlp: MLP = NETWORK, rule: ReBAL = RULE, double: bool = True) -> Parameters:
    """A network and a GRU whose map to the biases is not zero any more."""
    g = torch.Generator().manual_seed(0)
    parameters = mlp.init(g)
    parameters |= rule.init(mlp, parameters, g)
    for name, value in parameters.items():
        if name.startswith("condition."):
            parameters[name] = 0.5 * torch.randn(value.shape, generator=g)
    return {n: v.double() if double else v for n, v in parameters.items()}


def segment(rows: int, tasks: int = 2, seed: int = 5) -> Support:
    g = torch.Generator().manual_seed(seed)
    x = torch.randn(tasks, rows, 3, generator=g, dtype=torch.float64)
    y = torch.randn(tasks, rows, 2, generator=g, dtype=torch.float64)
    scale = torch.tensor([1.5, 0.5], dtype=torch.float64)
    return Support(x, y, torch.ones(tasks, rows, 1, dtype=torch.float64), scale)


def part(support: Support, rows: slice) -> Support:
    return Support(support.x[:, rows], support.y[:, rows], support.weight[:, rows], support.scale)


def memory(parameters: Parameters, support: Support) -> Tensor:
    hidden = RULE.update(NETWORK, parameters, support).hidden
    assert hidden is not None
    return hidden


def test_a_window_more_is_one_real_transition_more() -> None:
    parameters, support = conditioned(), segment(6)
    shorter = memory(parameters, part(support, slice(5)))
    last = observe(NETWORK, parameters, shorter, support.x[:, 5], support.y[:, 5])
    torch.testing.assert_close(memory(parameters, support), last)


def test_rows_without_weight_have_no_say() -> None:
    parameters, support = conditioned(), segment(6)
    weight = support.weight.clone()
    weight[:, [0, 3]] = 0.0
    rest = [1, 2, 4, 5]
    kept = Support(support.x[:, rest], support.y[:, rest], weight[:, rest], support.scale)
    assert torch.equal(
        memory(parameters, replace(support, weight=weight)), memory(parameters, kept)
    )


def test_the_order_of_the_window_matters() -> None:
    parameters, support = conditioned(), segment(6)
    turned = replace(support, x=support.x.flip(1), y=support.y.flip(1))
    assert not torch.allclose(memory(parameters, support), memory(parameters, turned))


def test_an_empty_window_is_the_prior() -> None:
    parameters, support = conditioned(), segment(6)
    update = RULE.update(
        NETWORK, parameters, replace(support, weight=torch.zeros_like(support.weight))
    )
    output, _, _ = NETWORK.forward_updated(parameters, update, support.x)
    torch.testing.assert_close(output, NETWORK.forward(parameters, support.x))
    assert update.hidden is not None
    assert update.hidden.abs().max() == 0.0


def naive_loss(parameters: Parameters, past: Support, future: Support) -> Tensor:
    """Eq. 22 and 23, one task and one transition at a time."""
    total = torch.zeros((), dtype=torch.float64)
    for n in range(len(past.x)):
        hidden = torch.zeros(1, 4, dtype=torch.float64)

        def predict(hidden: Tensor, x: Tensor) -> Tensor:
            adapted = NETWORK.materialise(parameters, condition(parameters, hidden))
            return NETWORK.forward(adapted, x)

        for x, y, weight in zip(past.x[n], past.y[n], past.weight[n], strict=True):
            if weight:
                surprise = y[None] - predict(hidden, x[None])
                hidden = advance(parameters, hidden, x[None], y[None], surprise)
        for x, y, weight in zip(future.x[n], future.y[n], future.weight[n], strict=True):
            predicted = predict(hidden, x[None])
            error = ((predicted[0] - y).square() * future.scale).mean()
            total = total + weight[0] * error / future.weight[n].sum()
            hidden = advance(parameters, hidden, x[None], predicted)
    return total / len(past.x)


def pair() -> tuple[Support, Support]:
    past, future = segment(5), segment(4, seed=6)
    past.weight[1, :2] = 0.0
    future.weight[0, 1] = 0.0
    return past, future


def test_the_meta_loss_is_the_papers() -> None:
    parameters = conditioned()
    loss = meta_loss(NETWORK, RULE, parameters, *pair())
    torch.testing.assert_close(loss, naive_loss(parameters, *pair()))


def test_its_gradient_is_that_of_finite_differences() -> None:
    parameters = {name: value.requires_grad_() for name, value in conditioned().items()}
    past, future = pair()
    loss = meta_loss(NETWORK, RULE, parameters, past, future)
    gradients = torch.autograd.grad(loss, list(parameters.values()))
    assert all(gradient.abs().max() > 0 for gradient in gradients)  # psi and phi, all of them
    g = torch.Generator().manual_seed(3)
    for (name, value), gradient in zip(parameters.items(), gradients, strict=True):
        direction = torch.randn(value.shape, generator=g, dtype=torch.float64)
        moved = [
            float(
                meta_loss(
                    NETWORK, RULE, {**parameters, name: value + h * direction}, past, future
                ).detach()
            )
            for h in (1e-5, -1e-5)
        ]
        slope = (moved[0] - moved[1]) / 2e-5
        assert slope == pytest.approx(float((gradient * direction).sum()), rel=1e-5, abs=1e-9)


def hidden_gains(count: int, seed: int) -> tuple[Support, Support]:
    """y = gain * x0: the gain can be told from the past, and from nothing else."""
    g = torch.Generator().manual_seed(seed)
    gain = torch.rand(count, 1, 1, generator=g) * 2 - 1
    x = torch.randn(count, 12, 3, generator=g)
    y = torch.cat([gain * x[..., :1], 0.5 * x[..., 1:2]], dim=-1)
    both = Support(x, y, torch.ones(count, 12, 1), torch.ones(2))
    return part(both, slice(8)), part(both, slice(8, 12))


def test_training_infers_what_the_prior_cannot_know() -> None:
    g, mlp, rule = torch.Generator().manual_seed(0), MLP((3, 16, 2)), ReBAL(size=12)
    parameters = mlp.init(g)
    parameters |= rule.init(mlp, parameters, g)
    live = {name: value.requires_grad_() for name, value in parameters.items()}
    optimiser = torch.optim.Adam(live.values(), lr=2e-2)
    for step in range(400):
        loss = meta_loss(mlp, rule, live, *hidden_gains(64, seed=step))
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    past, future = hidden_gains(500, seed=1000)
    floor = float((future.y[..., 0]).square().mean()) / 2  # the best without the past: gain 0
    with torch.no_grad():
        assert float(meta_loss(mlp, rule, live, past, future)) < 0.25 * floor


@pytest.fixture
def toy(prior: tuple[DynamicsModel, Parameters]) -> tuple[DynamicsModel, Parameters]:
    """The toy's model with a GRU."""
    return prior[0], conditioned(prior[0].mlp, RULE, double=False)


def drive(window: LiveWindow, start: float, steps: int) -> None:
    """States and commands of a toy that speeds up."""
    for k in range(steps):
        window.observe(np.array([0.0, 0.0, 0.0, 0.1 * k]), start + 0.1 * k)
        window.commanded(np.array([1.0, 0.0]), start + 0.1 * k)


@pytest.mark.parametrize("how", ["gap", "reset"])
def test_what_empties_the_window_empties_the_memory(
    toy: tuple[DynamicsModel, Parameters], how: str
) -> None:
    model, parameters = toy
    guard = Guard(RULE, parameters, 8, GuardConfig(enabled=False))
    window = LiveWindow(model.robot, guard.window_size)

    def hidden() -> Tensor | None:
        return guard.adapt(model, window.transitions()).hidden

    assert hidden() is None
    drive(window, 0.0, 9)
    first = hidden()
    assert first is not None
    assert first.shape == (1, 4)
    if how == "reset":
        window.reset()
    window.observe(np.zeros(4), 5.0)
    assert hidden() is None
    window.reset()
    drive(window, 6.0, 9)  # a new run remembers nothing of the old one
    again = hidden()
    assert again is not None
    assert torch.equal(again, first)


def test_planning_leaves_the_memory_alone_and_follows_it(
    toy: tuple[DynamicsModel, Parameters], robot: Robot, task: Any
) -> None:
    model, parameters = toy
    guard, window = Guard(RULE, parameters, 8, GuardConfig(enabled=False)), LiveWindow(robot, 8)
    drive(window, 0.0, 9)
    adapted = guard.adapt(model, window.transitions())
    assert adapted.hidden is not None
    before = adapted.hidden.clone()

    def plan(hidden: Tensor | None) -> Tensor:
        planner = make_planner("mppi", robot.spec, num_samples=32)
        controller = Controller(robot, planner, task, torch.Generator().manual_seed(0))
        return controller.plan(model, replace(adapted, hidden=hidden), np.zeros(4)).actions

    first = plan(adapted.hidden)
    assert torch.equal(plan(adapted.hidden), first)
    assert torch.equal(adapted.hidden, before)
    assert not torch.equal(plan(None), first)


def test_a_refused_window_is_judged_as_the_prior_bit_for_bit(
    toy: tuple[DynamicsModel, Parameters], rollouts: list[Rollout]
) -> None:
    model, parameters = toy
    data = Transitions.of(model.robot, rollouts)
    errors = open_loop_errors(model, Guard(RULE, parameters, 8, GuardConfig()), data, 4)
    refused = ~errors.accepted
    assert refused.any()
    assert errors.accepted.any()
    assert torch.equal(errors.normalised[0, refused], errors.normalised[1, refused])
    changed = errors.normalised[0] != errors.normalised[1]
    assert changed[errors.accepted].any(dim=-1).all()


def test_the_live_model_predicts_what_is_judged_open_loop(
    toy: tuple[DynamicsModel, Parameters], make_rollouts: Callable[..., list[Rollout]]
) -> None:
    model, parameters = toy
    (rollout,) = make_rollouts(1, steps=12)
    data = Transitions.of(model.robot, [rollout])
    guard = Guard(RULE, parameters, 8, GuardConfig(enabled=False))
    errors = open_loop_errors(model, guard, data, 4)
    window = LiveWindow(model.robot, 8)
    for k in range(9):
        window.observe(rollout.states[k], 0.1 * k)
        window.commanded(rollout.actions[k], 0.1 * k)
    adapted = guard.adapt(model, window.transitions())
    predict = model.predictor(adapted.parameters, adapted.hidden)
    states = predict(data.states[8:9], data.actions[None, 8:12])[:, 1:]
    error = model.robot.difference(data.next_states[None, 8:12], states)[..., :2].norm(dim=-1)
    torch.testing.assert_close(error, errors.metres[1, :1], atol=1e-5, rtol=1e-4)


def test_an_impossible_size_is_refused() -> None:
    with pytest.raises(ValueError, match="size: expected at least 1, got 0"):
        ReBAL(size=0)
