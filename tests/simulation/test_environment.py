"""The definitions that all environments share, and the contract that all of them keep."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch

from ros_mbmrl.dynamics.environment import ImaginedRobots, Start
from ros_mbmrl.dynamics.model import DynamicsModel
from ros_mbmrl.dynamics.normalizer import Normalizer
from ros_mbmrl.episodes.arm import Reaching, arm_stage
from ros_mbmrl.episodes.hexapod import hexapod_stage
from ros_mbmrl.episodes.scenario import Scenario
from ros_mbmrl.networks.mlp import MLP
from ros_mbmrl.plants.environment import PlantEnvironment
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.rewards import Reach, Run
from ros_mbmrl.simulation.environment import Environment, observe, rows_of, tasks_of
from ros_mbmrl.simulation.simulated_robots import make_simulated
from ros_mbmrl.simulation.situations import Situation, Terrain

ARM, CHEETAH = make_robot("arm_7dof"), make_robot("half_cheetah")
GOAL = np.array([[0.1, 0.2, 0.3]])


def test_a_policy_sees_features_and_then_the_goal() -> None:
    states = np.arange(18.0)[None]
    seen = observe(CHEETAH, states, np.zeros((1, 0)))
    assert seen.dtype == np.float32 and seen[0].tolist() == list(range(1, 18))  # all but x
    assert observe(ARM, np.zeros((1, 17)), GOAL)[0, 17:] == pytest.approx(GOAL[0])


def test_each_row_has_the_task_of_its_goal() -> None:
    (task,) = tasks_of(ARM, np.zeros((1, 17)), GOAL)
    assert isinstance(task, Reach)
    assert task.reference(np.zeros(17)).tolist() == pytest.approx(GOAL[0])
    assert isinstance(tasks_of(CHEETAH, np.zeros((2, 18)), np.zeros((2, 0)))[1], Run)


def test_a_mask_names_rows_that_all_parts_are_of() -> None:
    mask = np.array([False, True, True])
    assert rows_of(mask, "ab", [1, 2]).tolist() == [1, 2]
    with pytest.raises(ValueError, match="expected 2 of each"):
        rows_of(mask, "ab", [1])


Make = Callable[[Sequence[Any], Sequence[int]], Environment]


def imagined(starts: Sequence[Start], seeds: Sequence[int]) -> ImaginedRobots:
    """Cheetahs in an untrained model."""
    mlp, one = MLP((18 + 6, 8, 18)), torch.ones
    normalizer = Normalizer(torch.zeros(24), one(24), torch.zeros(18), 0.01 * one(18), clip=5.0)
    model = DynamicsModel(CHEETAH, mlp, normalizer)
    return ImaginedRobots(model, mlp.init(torch.Generator().manual_seed(0)), starts, horizon=4)


def cheetahs(situations: Sequence[Situation], seeds: Sequence[int]) -> Environment:
    return make_simulated("half_cheetah", situations, seeds)


def arms(situations: Sequence[Situation], seeds: Sequence[int]) -> Environment:
    return make_simulated("arm_7dof", situations, seeds)


def hexapods(scenarios: Sequence[Scenario], seeds: Sequence[int]) -> Environment:
    return PlantEnvironment(hexapod_stage(make_robot("hexapod")), scenarios, seeds)


def pr2_arms(goals: Sequence[Reaching], seeds: Sequence[int]) -> Environment:
    return PlantEnvironment(arm_stage(make_robot("pr2_arm")), goals, seeds)


# How each is made, and three situations of its kind.
ENVIRONMENTS: dict[str, tuple[Make, tuple[Any, ...]]] = {
    "cheetahs": (cheetahs, (Situation(), Situation(Terrain("hill")), Situation())),
    "arms": (arms, (Situation(), Situation(force=(1.0, 0.0, 0.0)), Situation())),
    "hexapods": (hexapods, (Scenario("left"), Scenario("straight"), Scenario("left"))),
    "pr2 arms": (pr2_arms, (Reaching(1), Reaching(2), Reaching(3))),
    "imagined": (imagined, tuple(Start(0.1 * np.arange(18) + k) for k in range(3))),
}


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_every_environment_keeps_the_contract(name: str) -> None:
    make, situations = ENVIRONMENTS[name]
    rows, alone = make(situations, [5, 6, 7]), make(situations[1:2], [8])
    spec, count = rows.robot.spec, 3
    low, high = spec.action_low, spec.action_high
    plan = np.random.default_rng(0).uniform(low, high, (4, count, len(low)))
    assert len(rows) == len(rows.tasks()) == len(rows.goals) == count
    for actions in plan[:2]:
        after = rows.step(actions)
    assert rows.states().shape == (count, len(spec.state))
    assert after.observation.dtype == np.float32
    np.testing.assert_array_equal(after.observation, rows.observe())
    for part in (after.reward, after.terminated, after.truncated, rows.times):
        assert part.shape == (count,)
    np.testing.assert_allclose(rows.times, 2 * spec.period)

    before = rows.states()
    rows.reset(np.array([False, True, False]), situations[1:2], [8])
    np.testing.assert_array_equal(rows.states()[[0, 2]], before[[0, 2]])
    np.testing.assert_allclose(rows.times, np.array([2, 0, 2]) * spec.period)
    for actions in plan[2:]:  # a row that began anew does what one alone does
        np.testing.assert_allclose(rows.states()[1], alone.states()[0], atol=1e-6)
        rewards = rows.step(actions).reward[1:2]
        np.testing.assert_allclose(rewards, alone.step(actions[1:2]).reward, atol=1e-5)

    for wrong in (plan[0] + 2 * (high - low), np.full_like(plan[0], np.nan), plan[0][:1]):
        with pytest.raises(ValueError, match="within the limits"):
            rows.step(wrong)
    with pytest.raises(ValueError, match="expected 1 of each"):
        rows.reset(np.array([True, False, False]), situations[:2], [1, 2])
