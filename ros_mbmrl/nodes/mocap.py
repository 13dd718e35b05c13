"""Motion capture: poses from a PoseStamped topic, as vrpn_mocap and its like publish them."""

from __future__ import annotations

import math
import threading
from types import TracebackType

import numpy as np
import rclpy
from geometry_msgs.msg import PoseStamped
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from ros_mbmrl.nodes.messages import from_stamp, seconds
from ros_mbmrl.nodes.qos import PROFILES
from ros_mbmrl.plants.clock import SteadyTime
from ros_mbmrl.plants.poses import PoseMailbox, StampedPose

LOOK = 0.5  # [s] between two looks at who publishes poses


def listen_for_poses(node: Node, topic: str) -> PoseMailbox:
    """Return a mailbox that the topic fills; its stamps must be this machine's time of day.

    Poses of several publishers are distrusted: nothing tells them apart.
    """
    clock = SteadyTime()
    mailbox = PoseMailbox(clock, clock.set_by)
    looked = -math.inf

    def look(now: float) -> None:
        nonlocal looked
        if now - looked >= LOOK:
            looked = now
            count = node.count_publishers(subscription.topic_name)
            if count > 1:
                mailbox.distrust(f"{subscription.topic_name} has {count} publishers, expected one")

    def on_pose(message: PoseStamped) -> None:
        look(clock())
        p, q = message.pose.position, message.pose.orientation
        mailbox.put(
            StampedPose(
                seconds(from_stamp(message.header.stamp)),
                np.array([p.x, p.y, p.z]),
                np.array([q.w, q.x, q.y, q.z]),
            )
        )

    subscription = node.create_subscription(PoseStamped, topic, on_pose, PROFILES["sensor"])
    return mailbox


class MocapListener:
    """A node of its own in a process that has none; a context manager.

    poses: what the topic fills. Signals stay the process's business.
    """

    def __init__(self, topic: str) -> None:
        self._context = rclpy.Context()
        rclpy.init(args=[], context=self._context, signal_handler_options=SignalHandlerOptions.NO)
        self._node = rclpy.create_node("mocap_listener", context=self._context)
        self.poses = listen_for_poses(self._node, topic)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self._node)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._spin, daemon=True)

    def __enter__(self) -> MocapListener:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join(timeout=2.0)
        self._executor.shutdown()
        self._node.destroy_node()
        rclpy.shutdown(context=self._context)

    def _spin(self) -> None:
        while not self._ended.is_set():
            self._executor.spin_once(timeout_sec=0.1)
