"""The ant's rotation."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ros_mbmrl.robots import make_robot


def test_the_ants_quaternion_stays_one() -> None:
    robot = make_robot("ant")
    state = torch.zeros(5, 29)
    state[:, 3] = 1.0
    rotation = robot.advance(state, torch.full((5, 29), 0.3))[:, 3:7]
    torch.testing.assert_close(rotation.norm(dim=1), torch.ones(5))
    turned = np.zeros(29)
    turned[:7] = 1.0, 2.0, 0.5, np.cos(0.35), 0.0, 0.0, np.sin(0.35)
    assert robot.pose(turned) == pytest.approx((1.0, 2.0, 0.7))
    assert not robot.follows_paths


def test_motors_are_in_gymnasiums_order_and_states_in_mujocos() -> None:
    spec = make_robot("ant").spec
    assert [limit.name for limit in spec.action] == [
        *("hip_4", "ankle_4", "hip_1", "ankle_1"),
        *("hip_2", "ankle_2", "hip_3", "ankle_3"),
    ]
    # Leg 1's hip is the seventh number of the state, and the third joint that is commanded.
    assert spec.state[7].name == "hip_1"
    assert spec.channels[7] == "joint_states.position.2"
    assert spec.channels[21] == "joint_states.velocity.2"
