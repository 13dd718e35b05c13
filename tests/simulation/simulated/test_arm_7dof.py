"""Forces on the arm's tip, and its goals."""

from __future__ import annotations

import numpy as np

from ros_mbmrl.simulation.simulated_robots import make_simulated
from ros_mbmrl.simulation.situations import Situation


def test_a_force_on_the_tip_does_what_statics_say() -> None:
    force = (0.0, 0.0, -1.0)
    pushed = Situation(force=force, force_begin=0.1)
    worlds = make_simulated("arm_7dof", [Situation(), pushed], [0, 0])
    for _ in range(2):
        worlds.step(np.zeros((2, 7)))
    free, held = worlds.states()
    np.testing.assert_array_equal(free, held)
    # Motors against the force, J^T f by differences of the tip.
    robot, small = worlds.robot, 1e-6
    torque = np.zeros(7)
    for joint in range(7):
        moved = free[:14].copy()
        moved[joint] += small
        tip = robot.estimate(moved, None, 0.05)[14:]
        torque[joint] = -np.dot(force, tip - free[14:]) / small
    worlds.step(np.array([np.zeros(7), torque]))
    np.testing.assert_allclose(worlds.states()[1], worlds.states()[0], atol=1e-4)
    worlds.step(np.zeros((2, 7)))
    assert worlds.states()[1, 16] < worlds.states()[0, 16] - 5e-4


def test_goals_are_drawn_from_the_seed_or_said() -> None:
    said = Situation(goal=(0.3, -0.4, 0.1))
    worlds = make_simulated("arm_7dof", [Situation(), Situation(), Situation(), said], [0, 0, 1, 0])
    drawn = worlds.goals
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert not np.allclose(drawn[0], drawn[2])
    np.testing.assert_array_equal(drawn[3], [0.3, -0.4, 0.1])
    rewards = worlds.step(np.zeros((4, 7))).reward
    expected = -np.square(worlds.states()[:, 14:] - worlds.goals).sum(1)
    np.testing.assert_allclose(rewards, expected)
    assert make_simulated("ant", [Situation()], [0]).goals.shape == (1, 0)
