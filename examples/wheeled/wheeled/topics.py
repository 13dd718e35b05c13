"""The base itself, on the topics that ROS bases have: `plant:=topics`.

Out goes `cmd_vel`, in comes `odom`. Its pose must come from something that sees the floor (motion
capture, localisation): wheel encoders do not notice a lost tyre. ROS is imported on use: naming
this plant needs none.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import numpy as np
from ros_mbmrl.errors import UserError
from ros_mbmrl.plants.base import Measurement, PlantFault, PlantOptions, within_limits
from ros_mbmrl.robots.channels import channel
from ros_mbmrl.robots.spec import Array, Robot

AHEAD = 0.02  # [s] that a stamp may lie in the future: clocks are never quite the same


@dataclass(frozen=True)
class Topics:
    """Names of the base's topics; ours lie in the graph's namespace. Parameters `hardware.*`."""

    cmd_vel: str = "/cmd_vel"
    odom: str = "/odom"

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not isinstance(value, str) or not value:
                raise ValueError(f"{name}: expected the name of a topic, got {value!r}")


class TopicsPlant:
    """A `Plant` over the topics of `options.node`.

    A timer on the node looks for who takes `cmd_vel`, as Twist or TwistStamped, and stops the
    base when commands end, even if the thread that sends them hangs.
    """

    simulated = False

    def __init__(self, robot: Robot, options: PlantOptions, topics: Topics) -> None:
        from nav_msgs.msg import Odometry
        from rclpy.qos import qos_profile_sensor_data

        self._spec, self._node, self._topics = robot.spec, options.node, topics
        self._clock = options.clock
        # Looked at once a period: so the base is stopped before `state_timeout` is over.
        self._oldest = robot.spec.envelope.state_timeout - robot.spec.period
        self._channels = [channel(where) for where in robot.spec.channels]
        self._lock = threading.Lock()
        self._newest: Any = None
        self._publisher: Any = None
        self._stamped = self._moving = False
        self._commanded = 0.0
        self._received = self._sent = self._timeouts = 0
        self._subscription = self._node.create_subscription(
            Odometry, topics.odom, self._on_odom, qos_profile_sensor_data
        )
        watch = robot.spec.envelope.command_timeout / 5
        self._timer = self._node.create_timer(watch, self._on_timer)

    def __enter__(self) -> TopicsPlant:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._node.destroy_timer(self._timer)
        self._node.destroy_subscription(self._subscription)
        self.stop()
        if self._publisher is not None:
            from rclpy.duration import Duration

            self._publisher.wait_for_all_acked(Duration(seconds=0.2))
            self._node.destroy_publisher(self._publisher)

    def observe(self) -> Measurement:
        """The newest `odom`. Raises PlantFault if it is stale, never came, or holds no numbers."""
        with self._lock:
            message = self._newest
        if message is None:
            raise PlantFault(f"{self._topics.odom}: nothing has come yet")
        now = self._clock()
        stamp = message.header.stamp
        age = now - (stamp.sec + 1e-9 * stamp.nanosec)
        if not -AHEAD <= age <= self._oldest:
            raise PlantFault(
                f"{self._topics.odom}: stamped {age:.3f} s ago by this machine's clock: "
                f"expected up to {self._oldest:g} s"
            )
        values = np.array([each.get(message) for each in self._channels])
        if not np.isfinite(values).all():
            raise PlantFault(f"{self._topics.odom}: expected finite numbers, got {values}")
        return Measurement(now, values, max(age, 0.0))

    def command(self, action: Array) -> None:
        """Speed [m/s] and yaw rate [rad/s]. Raises PlantFault if nobody takes them."""
        allowed = within_limits(self._spec, action)
        topic = self._topics.cmd_vel
        if self._publisher is None or self._node.count_subscribers(topic) == 0:
            raise PlantFault(f"{topic}: nobody takes a Twist or TwistStamped there")
        with self._lock:
            self._send(allowed)
            self._moving, self._commanded = True, self._clock()

    def advance(self, duration: float) -> None:
        """Its time passes by itself."""

    def stop(self) -> None:
        """Speed and yaw rate 0."""
        with self._lock:
            self._rest()

    def counters(self) -> Mapping[str, int | float]:
        """Messages in and out, and how often the base was stopped because commands ended."""
        with self._lock:
            received, sent, timeouts = self._received, self._sent, self._timeouts
        return {"received": received, "sent": sent, "timeouts": timeouts}

    def _rest(self) -> None:
        self._moving = False
        if self._publisher is not None:
            self._send(np.zeros(2))

    def _send(self, action: Array) -> None:
        from geometry_msgs.msg import Twist, TwistStamped

        twist = Twist()
        twist.linear.x, twist.angular.z = float(action[0]), float(action[1])
        message = twist
        if self._stamped:
            message = TwistStamped(twist=twist)
            message.header.stamp = self._node.get_clock().now().to_msg()
            message.header.frame_id = "base_link"
        self._publisher.publish(message)
        self._sent += 1

    def _on_odom(self, message: Any) -> None:
        with self._lock:
            self._newest = message
            self._received += 1

    def _on_timer(self) -> None:
        if self._publisher is None:
            self._look_for_base()
        with self._lock:
            silent = self._clock() - self._commanded > self._spec.envelope.command_timeout
            if self._moving and silent:
                self._timeouts += 1
                self._rest()

    def _look_for_base(self) -> None:
        """Which of the two types a base takes has changed over the years: it decides."""
        from geometry_msgs.msg import Twist, TwistStamped

        kinds = {"geometry_msgs/msg/Twist": Twist, "geometry_msgs/msg/TwistStamped": TwistStamped}
        for info in self._node.get_subscriptions_info_by_topic(self._topics.cmd_vel):
            if info.topic_type in kinds:
                kind = kinds[info.topic_type]
                self._stamped = kind is TwistStamped
                self._publisher = self._node.create_publisher(kind, self._topics.cmd_vel, 1)
                return


def check(options: PlantOptions) -> None:
    """Nothing can be told to be wrong before the node is there."""


def make(robot: Robot, options: PlantOptions) -> TopicsPlant:
    """The base. Raises UserError without a node, for an unknown setting, or for our own topics."""
    if options.node is None:
        raise UserError("plant topics needs ROS: expected mbmrl launch, or plant twin")
    try:
        topics = Topics(**options.hardware)
    except (TypeError, ValueError) as error:
        raise UserError(f"hardware: {error}") from None
    if options.node.resolve_topic_name(topics.odom) == options.node.resolve_topic_name("odom"):
        raise UserError(f"hardware: odom: {topics.odom} is the graph's own: expected the base's")
    return TopicsPlant(robot, options, topics)
