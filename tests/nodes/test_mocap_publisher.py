"""A pose as motion capture publishes it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("rclpy")
from ros_mbmrl.nodes.messages import from_stamp
from ros_mbmrl.nodes.mocap_publisher import MocapPublisher


def test_a_pose_is_in_the_map_frame_stamped_and_xyzw() -> None:
    publisher, sent = MocapPublisher("/mocap/robot/pose"), []  # type: ignore[var-annotated]
    fake: Any = SimpleNamespace(publish=sent.append)
    publisher._publisher = fake
    publisher.publish(1.7e9 + 0.25, np.array([1.0, 2.0, 3.0]), np.array([0.1, 0.2, 0.3, 0.4]))
    publisher.close()
    (message,) = sent
    assert message.header.frame_id == "map"
    stamp = from_stamp(message.header.stamp)
    assert abs(stamp - 1_700_000_000_250_000_000) < 1_000  # a float of today tells 0.24 us
    at, turned = message.pose.position, message.pose.orientation
    assert (at.x, at.y, at.z) == (1.0, 2.0, 3.0)
    assert (turned.w, turned.x, turned.y, turned.z) == (0.1, 0.2, 0.3, 0.4)
