"""The arm's forward kinematics against MuJoCo's."""

from __future__ import annotations

import mujoco
import numpy as np
import pytest
import torch

from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.arm_7dof import BASE_Y, JOINTS, tip_of
from ros_mbmrl.simulation.simulated import make_simulation
from ros_mbmrl.simulation.situations import Factors, Terrain


def test_the_arms_tip_is_where_mujoco_has_it() -> None:
    model = make_simulation("arm_7dof").model(Terrain(), Factors())
    data = mujoco.MjData(model)
    robot, rng = make_robot("arm_7dof"), np.random.default_rng(0)
    for _ in range(20):
        data.qpos[:] = rng.uniform(*np.array(list(JOINTS.values())).T)
        mujoco.mj_forward(model, data)
        truth = data.body("tips_arm").xipos
        state = robot.estimate(np.concatenate([data.qpos, data.qvel]), None, 0.05)
        np.testing.assert_allclose(state[14:], truth, atol=1e-9)
        still = robot.advance(torch.from_numpy(state).float(), torch.zeros(14))
        np.testing.assert_allclose(still[14:], truth, atol=1e-6)
    np.testing.assert_allclose(model.jnt_range, np.array(list(JOINTS.values())))


def test_a_straight_arm_reaches_as_far_as_its_parts_are_long() -> None:
    tip = tip_of(np.zeros(7))
    bent = tip_of(np.array([0.0, 0.0, 0.0, -np.pi / 2, 0.0, 0.0, 0.0]))
    assert tip[1:] == pytest.approx([BASE_Y, 0.0])  # straight ahead, at the shoulder's height
    assert bent[1] == pytest.approx(BASE_Y)
    assert bent[0] < tip[0] and abs(bent[2]) > 0.3
    turned = tip_of(np.array([0.5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]))
    assert np.hypot(turned[0], turned[1] - BASE_Y) == pytest.approx(tip[0])
    assert np.arctan2(turned[1] - BASE_Y, turned[0]) == pytest.approx(0.5)
