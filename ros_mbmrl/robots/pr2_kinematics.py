"""Forward kinematics of the PR2's left arm: positions of three points of its tool."""

from __future__ import annotations

from typing import Any

import numpy as np

from ros_mbmrl.robots.spec import Array

# Offsets [m]; PR2/pr2_common, `pr2_description/urdf`: torso_v0, shoulder_v0, upper_arm_v0,
# forearm_v0, gripper_v0. All are along x but the first.
SHOULDER_Y = 0.188  # y of the pan joint in torso_lift_link
SHOULDER, UPPER_ARM, FOREARM, PALM = 0.1, 0.4, 0.321, 0.18

# In l_gripper_tool_frame [m], one row for each point; cbfinn/gps, the PR2's end-effector points.
POINTS = np.array([[0.02, -0.025, 0.05], [0.02, -0.025, -0.05], [0.02, 0.05, 0.0]])


def tool_points(q: Array) -> Array:
    """Return x, y, z of the three points (9,) [m] in torso_lift_link for joint angles (7,)."""
    x, y, z = place_points(np.cos(q), np.sin(q), POINTS)
    return np.stack([x, y, z], axis=-1).reshape(*np.shape(q)[:-1], 9)


def place_points(cos: Any, sin: Any, points: Any) -> tuple[Any, Any, Any]:
    """Return x, y, z in torso_lift_link, each (..., M) [m], of points (M, 3) of the tool frame.

    cos, sin: (..., 7), of the joint angles. Uses arithmetic only, so arrays and tensors both work.
    """
    c = [cos[..., j, None] for j in range(7)]
    s = [sin[..., j, None] for j in range(7)]
    x, y, z = points[:, 0] + PALM, points[:, 1], points[:, 2]
    for roll, flex, length in ((6, 5, FOREARM), (4, 3, UPPER_ARM), (2, 1, SHOULDER)):
        y, z = c[roll] * y - s[roll] * z, s[roll] * y + c[roll] * z
        x, z = c[flex] * x + s[flex] * z, c[flex] * z - s[flex] * x
        x = x + length
    return c[0] * x - s[0] * y, s[0] * x + c[0] * y + SHOULDER_Y, z
