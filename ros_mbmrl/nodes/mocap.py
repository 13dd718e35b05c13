"""Motion capture: poses from a PoseStamped topic, as vrpn_mocap and its like publish them."""

from __future__ import annotations

import numpy as np
from geometry_msgs.msg import PoseStamped
from rclpy.node import Node

from ros_mbmrl.nodes.messages import from_stamp, seconds
from ros_mbmrl.nodes.qos import PROFILES
from ros_mbmrl.plants.poses import PoseMailbox, StampedPose


def listen_for_poses(node: Node, topic: str) -> PoseMailbox:
    """A mailbox that the topic fills; its stamps must be this machine's time of day."""
    mailbox = PoseMailbox()

    def on_pose(message: PoseStamped) -> None:
        p, q = message.pose.position, message.pose.orientation
        mailbox.put(
            StampedPose(
                seconds(from_stamp(message.header.stamp)),
                np.array([p.x, p.y, p.z]),
                np.array([q.w, q.x, q.y, q.z]),
            )
        )

    node.create_subscription(PoseStamped, topic, on_pose, PROFILES["sensor"])
    return mailbox
