"""`python -m wheeled.base`: the robot's side of its topics in front of the twin, in real time."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import rclpy
import tyro
from geometry_msgs.msg import Twist, TwistStamped
from nav_msgs.msg import Odometry
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from ros_mbmrl.nodes.timers import every
from ros_mbmrl.plants.base import PlantOptions
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.channels import channel

from wheeled.twin import make

PERIOD = 0.02  # [s] of odom
TIMEOUT = 0.5  # [s] without a command after which it stops, as bases do


@dataclass(frozen=True)
class Base:
    """A base that takes cmd_vel and gives odom, until Ctrl-C."""

    fault: str = ""
    """What breaks, NAME@SECONDS."""
    path: str = "figure8"
    """It stands at the start of this path."""
    stamped: bool = False
    """Take TwistStamped instead of Twist."""
    seed: int = 0
    """Seed of the noise."""


class BaseNode(Node):  # type: ignore[misc]
    """Steps the twin by the time that has passed, and says where it is."""

    def __init__(self, arguments: Base) -> None:
        super().__init__("base")
        robot = make_robot("wheeled")
        options = PlantOptions(fault=arguments.fault, path=arguments.path, seed=arguments.seed)
        self._spec, self._twin = robot.spec, make(robot, options)
        self._channels = [channel(where) for where in robot.spec.channels]
        self._stepped = self._told = time.monotonic()
        kind = TwistStamped if arguments.stamped else Twist
        self.create_subscription(kind, "cmd_vel", self._on_command, 1)
        self._odom = self.create_publisher(Odometry, "odom", 5)
        every(self, PERIOD, self._on_timer)

    def _on_command(self, message: Twist | TwistStamped) -> None:
        twist = message.twist if isinstance(message, TwistStamped) else message
        action = np.array([twist.linear.x, twist.angular.z])
        self._twin.command(np.clip(action, self._spec.action_low, self._spec.action_high))
        self._told = time.monotonic()

    def _on_timer(self) -> None:
        now = time.monotonic()
        if now - self._told > TIMEOUT:
            self._twin.stop()
        passed = PERIOD * round((now - self._stepped) / PERIOD)
        self._twin.advance(passed)
        self._stepped += passed
        message = Odometry(child_frame_id="base_link")
        message.header.frame_id = "map"
        message.header.stamp = self.get_clock().now().to_msg()
        for each, value in zip(self._channels, self._twin.observe().values, strict=True):
            each.put(message, float(value))
        self._odom.publish(message)


def main() -> None:
    """Entry point."""
    arguments = tyro.cli(Base)
    rclpy.init()
    try:
        rclpy.spin(BaseNode(arguments))
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    finally:
        rclpy.try_shutdown()


if __name__ == "__main__":
    main()
