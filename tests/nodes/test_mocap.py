"""Poses over the middleware, into the mailbox that a plant reads."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest

pytest.importorskip("rclpy")


def test_poses_travel_from_publisher_to_mailbox(
    until: Callable[[Callable[[], bool]], None],
) -> None:
    from ros_mbmrl.nodes.mocap import MocapListener
    from ros_mbmrl.nodes.mocap_publisher import MocapPublisher

    publisher = MocapPublisher("/mocap/robot/pose")
    try:
        with MocapListener("/mocap/robot/pose") as listener:
            assert listener.poses.latest() is None

            def heard() -> bool:
                publisher.publish(12.5, np.array([1.0, 2.0, 3.0]), np.array([0.6, 0.8, 0.0, 0.0]))
                return listener.poses.latest() is not None

            until(heard)
            pose = listener.poses.latest()
            assert pose is not None and pose.time == 12.5
            assert pose.position.tolist() == [1.0, 2.0, 3.0]
            assert pose.quaternion.tolist() == [0.6, 0.8, 0.0, 0.0]
    finally:
        publisher.close()


def test_poses_of_two_publishers_are_distrusted(
    until: Callable[[Callable[[], bool]], None],
) -> None:
    from ros_mbmrl.nodes.mocap import MocapListener
    from ros_mbmrl.nodes.mocap_publisher import MocapPublisher

    first, second = MocapPublisher("/mocap/robot/pose"), MocapPublisher("/mocap/robot/pose")
    with MocapListener("/mocap/robot/pose") as listener:
        try:

            def told() -> bool:
                first.publish(time.time(), np.zeros(3), np.array([1.0, 0.0, 0.0, 0.0]))
                return bool(listener.poses.fault())

            until(told)
            why = "/mocap/robot/pose has 2 publishers, expected one"
            assert listener.poses.fault() == why
        finally:
            second.close()
        until(lambda: not told())
    first.close()
