"""The cost of following a path: by hand, by its invariants, and by what it makes a robot do."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from ros_mbmrl.planning import make_planner
from ros_mbmrl.planning.base import WarmStart
from ros_mbmrl.robots.hexapod import Hexapod
from ros_mbmrl.robots.path_following import PathFollowing, PathWeights, locate
from ros_mbmrl.robots.paths import PATHS, Path, make_path

ROBOT = Hexapod()
LINE = Path.from_points([(0.0, 0.0), (3.0, 0.0)])


def at(x: float, y: float, yaw: float = 0.0) -> np.ndarray:
    state = np.zeros(24)
    state[[0, 1, 6, 8, 10, 11]] = x, y, 1.0, 1.0, math.cos(yaw), math.sin(yaw)
    return state


def walks(xs: list[list[float]], ys: list[list[float]]) -> torch.Tensor:
    states = torch.zeros(len(xs), len(xs[0]), 24)
    states[..., 0], states[..., 1] = torch.tensor(xs), torch.tensor(ys)
    return states


def test_the_cost_by_hand() -> None:
    task = PathFollowing(ROBOT, LINE, speed=0.25, weights=PathWeights(cross_track=0.05))
    states = walks(
        [[0, 0.025, 0.05], [0, 0.0, 0.0], [0, 0.025, 0.05], [0, 0.025, 0.05]],
        [[0, 0.0, 0.0], [0, 0.0, 0.0], [0, 0.05, 0.1], [0, -0.05, -0.1]],
    )
    costs = task.cost(states, torch.zeros(4, 2, 2), task.reference(at(0, 0)))
    standing = (0.25**2 + 0.5**2) / 2
    assert costs.tolist() == pytest.approx([0.0, standing, 2.5, 2.5], abs=1e-5)


def test_changing_actions_cost() -> None:
    task = PathFollowing(ROBOT, LINE, weights=PathWeights(change=0.5))
    states = walks([[0, 0.025, 0.05]], [[0, 0.0, 0.0]])
    span = float(ROBOT.spec.action_high[0])
    actions = torch.tensor([[[0.0, 0.0], [span, 0.0]]])
    costs = task.cost(states, actions, task.reference(at(0, 0)))
    assert costs.tolist() == pytest.approx([4.0 / 2], abs=1e-4)  # (1 / 0.5)^2 over two steps


def test_progress_counts_from_where_the_robot_is() -> None:
    task = PathFollowing(ROBOT, LINE)
    for k in range(20):
        task.reference(at(0.05 * k, 0.02))
    reference = task.reference(at(1.0, 0.02))
    assert task.progress == pytest.approx(1.0)
    assert task.cross_track == pytest.approx(0.02)
    assert reference.dtype == torch.float32
    assert reference[0].tolist() == pytest.approx([1.0, 0.0, 0.0, 0.0], abs=1e-6)
    perfect = walks([[1.0, 1.025, 1.05]], [[0.0, 0.0, 0.0]])
    assert task.cost(perfect, torch.zeros(1, 2, 2), reference).item() == pytest.approx(0, abs=1e-6)


def test_at_the_end_of_the_path_standing_is_best() -> None:
    task = PathFollowing(ROBOT, LINE)
    task.progress = 2.99
    reference = task.reference(at(3.0, 0.0))
    assert task.finished
    task.reference(at(2.9, 0.0))
    assert task.finished  # however far noise or a hand moves it back
    states = walks([[3.0, 3.0, 3.0], [3.0, 3.025, 3.05]], [[0.0] * 3, [0.0] * 3])
    still, onward = task.cost(states, torch.zeros(2, 2, 2), reference).tolist()
    assert still == pytest.approx(0.0, abs=1e-6)
    assert onward > still


@pytest.mark.parametrize("name", list(PATHS))
def test_locate_agrees_with_projection(name: str) -> None:
    task = PathFollowing(ROBOT, make_path(name))
    generator = np.random.default_rng(0)
    for s in np.linspace(0.0, task.path.length - 0.6, 20):
        task.progress = float(s)
        k = int(np.searchsorted(task.path.arc, s))
        reference = task.reference(at(*task.path.points[k]))
        index = min(k + 30, len(task.path.arc) - 1)
        xy = task.path.points[index] + generator.normal(0, 0.02, 2)
        where = torch.tensor(xy, dtype=torch.float32)
        along, across = locate(where[:1, None], where[1:, None], reference)
        s_true, cross_track = task.path.project(xy, float(task.path.arc[index]))
        assert along.item() + task.progress == pytest.approx(s_true, abs=0.005)
        assert across.item() == pytest.approx(cross_track, abs=0.001)


def test_one_imagined_nan_stays_in_its_own_cost() -> None:
    task = PathFollowing(ROBOT, LINE)
    states = walks([[0, 0.025, 0.05]] * 2, [[0, 0.0, 0.0]] * 2)
    states[0, 1, 0] = math.nan
    costs = task.cost(states, torch.zeros(2, 2, 2), task.reference(at(0, 0)))
    assert costs.isfinite().tolist() == [False, True]


@pytest.mark.parametrize("name", ["speed", "spacing"])
def test_wrong_values_fail_at_construction(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name}: expected a number above 0"):
        if name == "speed":
            PathFollowing(ROBOT, LINE, speed=0.0)
        else:
            PathWeights(spacing=0.0)


def roll(state: torch.Tensor, actions: torch.Tensor) -> torch.Tensor:
    """A unicycle with the real logs' metres a stride and yaw rate per difference in Hz."""
    states = [state]
    for hertz in (actions / (2 * math.pi)).unbind(1):
        state = states[-1].clone()
        yaw = torch.atan2(state[:, 11], state[:, 10]) + 0.02 * (hertz[:, 1] - hertz[:, 0])
        step = 0.1 * 0.043 * hertz.mean(1)
        state[:, 0] += step * yaw.cos()
        state[:, 1] += step * yaw.sin()
        state[:, 10], state[:, 11] = yaw.cos(), yaw.sin()
        states.append(state)
    return torch.stack(states, dim=1)


@pytest.mark.parametrize(
    ("name", "sideways", "steps"), [("figure8", 0.0, 280), ("zigzag", 0.15, 100)]
)
def test_mppi_follows_the_path_at_the_wanted_speed(name: str, sideways: float, steps: int) -> None:
    path = make_path(name)
    task = PathFollowing(ROBOT, path, speed=0.25)
    planner = make_planner("mppi", ROBOT.spec, num_samples=200)
    x, y, yaw = path.start
    state = torch.as_tensor(at(x, y + sideways, yaw), dtype=torch.float32)
    start, generator = WarmStart(None, torch.zeros(2)), torch.Generator().manual_seed(0)
    errors = []
    with torch.inference_mode():
        for _ in range(steps):
            reference = task.reference(state.double().numpy())
            errors.append(abs(task.cross_track))
            plan = planner.plan(roll, task.cost, state, reference, start, generator)
            start = plan.shifted(plan.action)
            state = roll(state[None], plan.action[None, None])[0, 1]
    assert np.max(errors[30:]) < 0.02
    assert np.mean(errors[30:]) < 0.005
    assert task.progress == pytest.approx(0.25 * 0.1 * steps, rel=0.1)
