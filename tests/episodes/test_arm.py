"""The arm's twin as an environment."""

from __future__ import annotations

import numpy as np
import pytest

from ros_mbmrl.episodes.arm import Reaching, arm_stage
from ros_mbmrl.plants.environment import PlantEnvironment
from ros_mbmrl.plants.pr2_twin import make_arm
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.arm_tasks import ArmWeights
from ros_mbmrl.simulation.pr2_faults import ArmFault

ROBOT = make_robot("pr2_arm")
WHATS = (Reaching(seed=1), Reaching(seed=2, fault=ArmFault("payload"), duration=0.1))


def test_each_row_is_an_arm_of_its_own() -> None:
    rows = PlantEnvironment(arm_stage(ROBOT), WHATS, [5, 6])
    assert rows.goals == pytest.approx(np.array([what.goal for what in WHATS]))
    period, torques = ROBOT.spec.period, np.full((2, 7), 0.5)
    alone = make_arm(ROBOT, WHATS[1].physics, (WHATS[1].fault,), 6)
    for _ in range(round(WHATS[1].duration / period)):
        alone.observe()  # draws the sensors' noise
        after = rows.step(torques)
        alone.command(torques[1])
        alone.advance(period)
    expected = ROBOT.estimate(alone.observe().values, None, period)
    assert rows.states()[1].tolist() == expected.tolist()
    assert after.truncated.tolist() == [False, True]


def test_the_reward_of_a_period_by_hand() -> None:
    rows = PlantEnvironment(arm_stage(ROBOT), WHATS[:1], [5])
    (reward,) = rows.step(np.zeros((1, 7))).reward
    (state,), weights = rows.states(), ArmWeights()
    names = [quantity.name for quantity in ROBOT.spec.state]
    first = names.index("point_0_x")
    error = (state[first : first + 9] - WHATS[0].goal).reshape(3, 3)
    square = np.square(error).sum(1).mean()
    speed = [value for name, value in zip(names, state, strict=True) if "velocity" in name]
    cost = weights.square * square + weights.log * np.log(square + weights.softness)
    cost += weights.velocity * np.square(speed).mean()
    assert reward == pytest.approx(-cost, rel=1e-3)  # no joint is near a limit, no torque
