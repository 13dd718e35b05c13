"""Paths that come from outside: which are followed, and what is said of the others."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("rclpy")
from geometry_msgs.msg import PoseStamped
from nav_msgs.msg import Path

from ros_mbmrl.errors import UserError
from ros_mbmrl.nodes.messages import read_path
from ros_mbmrl.nodes.reference import ReferenceNode


def path(frame: str, inner: str) -> Path:
    message = Path()
    message.header.frame_id = frame
    for k in range(11):
        pose = PoseStamped()
        pose.header.frame_id = inner
        pose.pose.position.x = 0.1 * k
        message.poses.append(pose)
    return message


@pytest.mark.parametrize(
    ("frame", "inner", "foreign"),
    [
        ("map", "map", None),
        ("map", "", None),  # of its header, as in nav_msgs/Path's comment
        ("odom", "odom", "odom"),
        ("base_link", "base_link", "base_link"),
        ("", "", ""),
        ("map", "base_link", "base_link"),
        ("odom", "map", "odom"),
    ],
)
def test_a_path_is_followed_in_the_map_frame_only(
    context: Any, frame: str, inner: str, foreign: str | None
) -> None:
    node = ReferenceNode(context=context)
    sent: list[Path] = []
    node._reference.publish = sent.append
    message = path(frame, inner)
    node._on_set(message)
    assert sent == ([message] if foreign is None else [])
    if foreign is not None:
        with pytest.raises(UserError, match=f"expected the frame 'map', got '{foreign}'"):
            read_path(message)
    node.destroy_node()
