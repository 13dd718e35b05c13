"""Poses onto a PoseStamped topic, as motion capture would publish them."""

from __future__ import annotations

import rclpy
from geometry_msgs.msg import PoseStamped
from rclpy.signals import SignalHandlerOptions

from ros_mbmrl.nodes.messages import MAP, header, nanoseconds
from ros_mbmrl.nodes.qos import PROFILES
from ros_mbmrl.robots.spec import Array


class MocapPublisher:
    """A node of its own in a process that has none; signals stay the process's business."""

    def __init__(self, topic: str) -> None:
        self._context = rclpy.Context()
        rclpy.init(args=[], context=self._context, signal_handler_options=SignalHandlerOptions.NO)
        self._node = rclpy.create_node("mocap", context=self._context)
        self._publisher = self._node.create_publisher(PoseStamped, topic, PROFILES["sensor"])

    def publish(self, time: float, position: Array, quaternion: Array) -> None:
        """A pose that was true at `time` [s], time of day. quaternion: wxyz."""
        message = PoseStamped(header=header(nanoseconds(time), MAP))
        at, turned = message.pose.position, message.pose.orientation
        at.x, at.y, at.z = (float(value) for value in position)
        turned.w, turned.x, turned.y, turned.z = (float(value) for value in quaternion)
        self._publisher.publish(message)

    def close(self) -> None:
        """The node is gone."""
        self._node.destroy_node()
        rclpy.shutdown(context=self._context)
