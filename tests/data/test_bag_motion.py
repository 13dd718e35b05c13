"""How a base moved in a bag."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rclpy")

from geometry_msgs.msg import PoseStamped

from ros_mbmrl.data.bag_motion import ENOUGH, base_motion
from tests.data.test_bag_draft import bag

RATE, SPEED = 50.0, 0.4  # [1/s], [m/s]


def drive(folder: Path, count: int, noise: float, rests: int = 50) -> Path:
    """A bag of a base that rests, then drives straight on."""
    rng, messages = np.random.default_rng(0), []
    for k in range(count):
        message = PoseStamped()
        message.header.stamp.sec, message.header.stamp.nanosec = divmod(k * 20_000_000, 10**9)
        message.pose.position.x = SPEED * max(0, k - rests) / RATE + noise * rng.normal()
        message.pose.orientation.w = 1.0
        messages.append(message)
    return bag(folder, {"/pose": (RATE, messages)})


def test_a_pose_with_noise_is_live(tmp_path: Path) -> None:
    motion = base_motion(drive(tmp_path, 2 * ENOUGH, noise=1e-4), "/pose")
    assert motion.speed == pytest.approx(SPEED, rel=0.02)
    assert motion.turn_rate == 0.0 and motion.live


@pytest.mark.parametrize("rests", [50, 0])
def test_an_exact_pose_is_not(tmp_path: Path, rests: int) -> None:
    """Whether it repeats at rest, or was never seen at rest."""
    motion = base_motion(drive(tmp_path, 2 * ENOUGH, noise=0.0, rests=rests), "/pose")
    assert motion.speed == pytest.approx(SPEED, rel=1e-6)
    assert not motion.live


def test_of_a_few_messages_nothing_is_said(tmp_path: Path) -> None:
    motion = base_motion(drive(tmp_path, ENOUGH - 1, noise=1e-4), "/pose")
    assert (motion.speed, motion.live) == (0.0, False)
