"""A learned model as an environment, worked out by hand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import Tensor

from ros_mbmrl.agents.chance import RandomAgent
from ros_mbmrl.dynamics.environment import ImaginedRobots, Start
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.dynamics.normalizer import Normalizer
from ros_mbmrl.episodes.batch import run_episodes
from ros_mbmrl.networks.ensemble import Ensemble, unstacked
from ros_mbmrl.networks.mlp import MLP
from ros_mbmrl.robots.spec import Array, Robot
from ros_mbmrl.robots.task import Task


@dataclass
class Goal:
    """Cost: how far y is from the goal, and the drive's square."""

    goal: float

    def reference(self, state: Array) -> Tensor:
        return torch.tensor([self.goal])

    def cost(self, states: Tensor, actions: Tensor, reference: Tensor) -> Tensor:
        return (states[:, 1:, 1] - reference).abs().sum(1) + actions[..., 0].square().sum(1)


def goals(robot: Robot, states: Array, goals: Array) -> list[Task]:
    return [Goal(float(goal)) for (goal,) in goals]


def start(speed: float, goal: float) -> Start:
    return Start(np.array([0.0, 0.0, 0.0, speed]), np.array([goal]))


def imagined(robot: Robot, horizon: int = 3, drive: float = 1.0) -> ImaginedRobots:
    """forward = .1 speed, yaw = turn, speed += drive; two rows."""
    weights = torch.tensor([[0.1, 0, 0, 0], [0, 0, 0, drive], [0, 0, 1.0, 0]])
    one = torch.ones
    normalizer = Normalizer(torch.zeros(3), one(3), torch.zeros(4), one(4), clip=100.0)
    model = DynamicsModel(robot, MLP((3, 4)), normalizer)
    parameters = {"w0": weights, "b0": torch.zeros(4)}
    return ImaginedRobots(model, parameters, [start(1.0, 0.2), start(2.0, -1.0)], horizon, goals)


def test_two_steps_by_hand(robot: Robot) -> None:
    robots = imagined(robot)
    first = robots.step(np.array([[1.0, 1.0], [0.0, 0.0]]))
    assert robots.states() == pytest.approx(np.array([[0.1, 0, 1.0, 2.0], [0.2, 0, 0, 2.0]]))
    assert first.reward == pytest.approx([-0.2 - 1.0, -1.0])
    second = robots.step(np.array([[-0.5, 0.0], [0.0, 0.0]]))
    y = 0.2 * np.sin(1.0)  # 2 m/s for 0.1 s at a yaw of 1
    expected = [[0.1 + 0.2 * np.cos(1.0), y, 1.0, 1.5], [0.4, 0, 0, 2.0]]
    assert robots.states() == pytest.approx(np.array(expected), abs=1e-6)
    assert second.reward == pytest.approx([-(0.2 - y) - 0.25, -1.0])
    assert robots.times == pytest.approx([0.2, 0.2])
    # What a policy sees: the model's features (here the speed), and the goal.
    assert second.observation == pytest.approx(np.array([[1.5, 0.2], [2.0, -1.0]]))


def test_a_row_has_an_episode_of_its_own(robot: Robot) -> None:
    robots, rest = imagined(robot, horizon=2), np.zeros((2, 2))
    assert not robots.step(rest).truncated.any()
    robots.reset(np.array([False, True]), [start(3.0, 0.5)], [0])
    assert robots.times == pytest.approx([0.1, 0.0])
    assert robots.goals.tolist() == [[0.2], [0.5]]
    after = robots.step(rest)
    assert after.truncated.tolist() == [True, False]
    assert after.reward[1] == pytest.approx(-0.5)
    assert robots.states()[:, 0] == pytest.approx([0.2, 0.3])


def test_a_state_that_is_no_number_terminates(robot: Robot) -> None:
    robots, sent = imagined(robot, drive=3e38), np.array([[1.0, 0.0], [0.0, 0.0]])
    assert not robots.step(sent).terminated.any()  # 3e38 m/s; twice that is not in float32
    before = robots.states()
    after = robots.step(sent)
    assert after.terminated.tolist() == [True, False]
    assert robots.states()[0].tolist() == before[0].tolist()
    robots.reset(after.terminated, [start(1.0, 0.0)], [0])
    assert not robots.step(np.zeros((2, 2))).terminated.any()


def test_wrong_numbers_are_refused(robot: Robot) -> None:
    robots = imagined(robot)
    for wrong in (np.full((2, 2), 5.0), np.full((2, 2), np.nan), np.zeros((1, 2))):
        with pytest.raises(ValueError, match="within the limits"):
            robots.step(wrong)
    with pytest.raises(ValueError, match="finite"):
        robots.reset(np.array([True, False]), [start(np.nan, 0.0)], [0])
    with pytest.raises(ValueError, match="horizon"):
        imagined(robot, horizon=0)


def test_agents_act_in_a_model_as_they_do_anywhere(robot: Robot) -> None:
    robots = imagined(robot)
    episodes = run_episodes(robots, RandomAgent(3), 3, [0, 1])
    speeds = np.cumsum(episodes.actions[..., 0], axis=0) + [1.0, 2.0]
    assert episodes.states[1:, :, 3] == pytest.approx(speeds, abs=1e-5)
    assert episodes.lasted.tolist() == [3, 3]


def sampled(robot: Robot, scheme: str) -> ImaginedRobots:
    """As `imagined`, by two members of which the second drives three times as fast."""
    one, drives = torch.ones, (1.0, 3.0)
    normalizer = Normalizer(torch.zeros(3), one(3), torch.zeros(4), one(4), clip=100.0)
    model = DynamicsModel(robot, Ensemble((3, 4), members=2), normalizer)
    each = []
    for drive in drives:
        weights = torch.tensor([[0.1, 0, 0, 0], [0, 0, 0, drive], [0, 0, 1.0, 0]])
        each.append({"w0": weights, "b0": torch.zeros(4)})
    starts, generator = [start(0.0, 0.0)] * 200, torch.Generator().manual_seed(0)
    return ImaginedRobots(model, unstacked(each), starts, 9, goals, scheme, generator)


def test_members_of_an_ensemble_move_rows_by_a_scheme(robot: Robot) -> None:
    sent = np.tile([0.5, 0.0], (200, 1))
    found = {}
    for scheme in ("", "model_mean", "step_rand", "eps_rand"):
        robots = sampled(robot, scheme)
        robots.step(sent)
        robots.step(sent)
        found[scheme] = set(robots.states()[:, 3].tolist())
    assert found[""] == found["model_mean"] == {2.0}
    assert found["step_rand"] == {1.0, 2.0, 3.0}
    assert found["eps_rand"] == {1.0, 3.0}


def test_a_new_episode_may_have_another_member(robot: Robot) -> None:
    robots, mask = sampled(robot, "eps_rand"), np.arange(200) < 100
    sent = np.tile([0.5, 0.0], (200, 1))
    robots.step(sent)
    first = robots.states()[:, 3]
    robots.reset(mask, [start(0.0, 0.0)] * 100, range(100))
    robots.step(sent)
    second = robots.states()[:, 3]
    assert second[~mask] == pytest.approx(2 * first[~mask])
    assert set((second[mask] - first[mask]).tolist()) == {-1.0, 0.0, 1.0}
