"""The reward of the thesis, section 8.4.5, by hand; when a task is done."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.held_object import BringObject, HeldWeights
from ros_mbmrl.robots.pr2_tasks import TASKS


def state(task: str, shift: tuple[float, float, float], speed: float = 0.0) -> np.ndarray:
    """A state (23,) whose points are `shift` [m] from the goal of a task."""
    points = (TASKS[task].points.reshape(3, 3) + shift).ravel()
    return np.concatenate([np.zeros(7), np.full(7, speed), points])


def made(task: str, weights: HeldWeights | None = None) -> BringObject:
    return BringObject(make_robot(f"pr2_{task}"), TASKS[task], weights)


@pytest.mark.parametrize("distance", [0.0, 0.003, 0.2])
def test_the_reward_is_the_thesis_one(distance: float) -> None:
    task = made("reach")
    states = torch.tensor(
        np.stack([state("reach", (0.0, 0.0, 0.0)), state("reach", (0, distance, 0), 2)])
    )
    torque = torch.full((1, 1, 7), 0.3)
    cost = float(task.cost(states[None].float(), torque, task.reference(np.zeros(23)))[0])
    spans = 2 * make_robot("pr2_reach").spec.action_high
    penalty = 0.1 * 2.0**2 + 0.5 * float(np.mean((0.3 / spans) ** 2))
    reward = -(distance**2) - math.log(distance**2 + 1e-5)
    assert cost == pytest.approx(penalty - reward, abs=2e-3)


def test_many_robots_cost_what_each_one_does() -> None:
    task, rng = made("stacking"), np.random.default_rng(0)
    states = torch.tensor(rng.standard_normal((2, 3, 5, 23)), dtype=torch.float32)
    actions = torch.tensor(rng.standard_normal((2, 3, 4, 7)), dtype=torch.float32)
    together = task.cost(states, actions, torch.zeros(2, 0))
    for n in range(2):
        torch.testing.assert_close(together[n], task.cost(states[n], actions[n], torch.zeros(0)))


def test_figures_tell_height_and_offset() -> None:
    rows = np.stack([state("insertion", (0, 0, 0)), state("insertion", (0.003, -0.004, 0.02))])
    figures = made("insertion").measured(rows)
    assert figures["above", "m"] == pytest.approx([0.02])
    assert figures["beside", "m"] == pytest.approx([0.005])
    assert figures["distance", "m"] == pytest.approx([math.sqrt(0.02**2 + 0.005**2)])


@pytest.mark.parametrize(
    ("task", "shift", "done"),
    [
        ("reach", (0.0, 0.0, 0.009), True),
        ("reach", (0.0, 0.0, 0.011), False),
        ("insertion", (0.0, 0.0, 0.004), True),
        ("insertion", (0.0, 0.0, 0.006), False),
        ("insertion", (0.0, 0.0, -0.01), True),  # deeper than asked for
        ("insertion", (0.02, 0.0, 0.0), False),
        ("stacking", (0.0, 0.0, 0.002), True),
        ("stacking", (0.0, 0.0, 0.015), False),  # on top of the stud
    ],
)
def test_when_a_task_is_done(task: str, shift: tuple[float, float, float], done: bool) -> None:
    assert made(task).done(np.stack([state(task, (0, 0, 0)), state(task, shift)])).tolist() == [
        done
    ]
