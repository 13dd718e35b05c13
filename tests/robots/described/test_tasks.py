"""Costs of described tasks, by hand."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from ros_mbmrl.robots.described.reading import parse_description
from ros_mbmrl.robots.described.robot import described_robot
from ros_mbmrl.robots.task import cost_each, is_stationary
from tests.robots.described.examples import ARM, CART, WALKER

ARM_ROBOT, CART_ROBOT, WALKER_ROBOT = (
    described_robot(parse_description(text, Path("f"))) for text in (ARM, CART, WALKER)
)


def test_a_goal_counts_errors_in_scales_the_short_way() -> None:
    task = ARM_ROBOT.make_task("reach", np.zeros(6))
    states, actions = torch.zeros(1, 3, 6), torch.zeros(1, 2, 2)
    states[0, 1:, 0], states[0, 1:, 2] = 0.7, -3.0
    wrist = 2 * math.pi - 6.0
    expected = ((0.7 - 0.5) / 0.2) ** 2 + (wrist / 0.1) ** 2
    assert float(task.cost(states, actions, torch.zeros(0))) == pytest.approx(expected, rel=1e-5)
    error = task.measured(states[0].numpy())["error", "1"]  # type: ignore[attr-defined]
    assert error.tolist() == pytest.approx([math.sqrt(expected / 2)] * 2, rel=1e-5)


def test_changes_of_commands_cost() -> None:
    task = ARM_ROBOT.make_task("reach", np.zeros(6))
    states, actions = torch.zeros(2, 3, 6), torch.zeros(2, 2, 2)
    actions[1, 1, 0] = 5.0
    still, moved = task.cost(states, actions, torch.zeros(0)).tolist()
    assert moved - still == pytest.approx((5.0 / (2 * 10.0)) ** 2 / 2, rel=1e-4)


def test_a_formula_is_averaged_over_the_periods() -> None:
    task = ARM_ROBOT.make_task("slow", np.zeros(6))
    states, actions = torch.zeros(1, 3, 6), torch.zeros(1, 2, 2)
    states[0, :, 4] = torch.tensor([9.0, 1.0, 2.0])
    actions[0, :, 0] = torch.tensor([1.0, 3.0])
    expected = (1.0 + 4.0) / 2 + 0.1 * (1.0 + 9.0) / 2
    assert float(task.cost(states, actions, torch.zeros(0))) == pytest.approx(expected)


def test_states_before_and_changes_are_known_to_formulas() -> None:
    text = CART.replace(
        "1 - cos(pole) + 0.01 * square(place)", "place - before_place + change_force"
    )
    task = described_robot(parse_description(text, Path("f"))).make_task("up", np.zeros(5))
    states, actions = torch.zeros(1, 3, 5), torch.zeros(1, 2, 1)
    states[0, :, 0] = torch.tensor([1.0, 2.0, 4.0])
    actions[0, :, 0] = torch.tensor([5.0, 7.0])
    assert float(task.cost(states, actions, torch.zeros(0))) == pytest.approx((1 + 0 + 2 + 2) / 2)


def test_a_walkers_run_is_rewarded_at_its_speed() -> None:
    task = WALKER_ROBOT.make_task("run", np.zeros(17))
    states, actions = torch.zeros(2, 2, 17), torch.zeros(2, 1, 2)
    states[0, 1, 0] = 0.5 * 0.05
    kept, stood = task.cost(states, actions, torch.zeros(0)).tolist()
    assert kept == pytest.approx(0.0, abs=1e-6) and stood == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("robot", "name"), [(ARM_ROBOT, "reach"), (ARM_ROBOT, "slow"), (CART_ROBOT, "up")]
)
def test_many_robots_at_once_cost_as_each(robot: object, name: str) -> None:
    spec = robot.spec  # type: ignore[attr-defined]
    tasks = [robot.make_task(name, np.zeros(len(spec.state))) for _ in range(3)]  # type: ignore[attr-defined]
    states = torch.randn(3, 4, 6, len(spec.state))
    actions = torch.randn(3, 4, 5, len(spec.action))
    batched = cost_each(tasks, np.zeros((3, len(spec.state))), torch.device("cpu"))
    each = torch.stack(
        [t.cost(s, a, torch.zeros(0)) for t, s, a in zip(tasks, states, actions, strict=True)]
    )
    torch.testing.assert_close(batched(states, actions), each)
    assert is_stationary(tasks[0])
