"""Angles of unit quaternions in the order w, x, y, z. No torch: safety and driver use them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ros_mbmrl.robots.spec import Array


def roll_pitch_yaw(quaternion: Array) -> Array:
    """Return roll, pitch and yaw (3,) [rad] of a unit quaternion (w, x, y, z), MuJoCo's order."""
    w, x, y, z = quaternion
    return np.array(
        [
            math.atan2(2 * (w * x + y * z), 1 - 2 * (x * x + y * y)),
            math.asin(max(-1.0, min(1.0, 2 * (w * y - z * x)))),
            math.atan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z)),
        ]
    )


def yaw_of(w: Any, x: Any, y: Any, z: Any) -> Any:
    """Return the heading [rad] of a quaternion."""
    return np.arctan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z))
