"""The base itself, on the topics that ROS bases have: `plant:=topics`.

Out goes `cmd_vel`, in comes `odom`. Its pose must come from something that sees the floor (motion
capture, localisation): wheel encoders do not notice a lost tyre. ROS is imported on use: naming
this plant needs none.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import numpy as np
from ros_mbmrl.errors import UserError
from ros_mbmrl.plants.base import PlantFault, PlantOptions, within_limits
from ros_mbmrl.robots.channels import channel
from ros_mbmrl.robots.measurement import Measurement
from ros_mbmrl.robots.spec import Array, Robot

TYPES = ("Twist", "TwistStamped")  # which of them a base takes has changed over the years
AUTO = "auto"
ODOMETRY = "nav_msgs/msg/Odometry"
UNNAMED = "_NODE_NAME_UNKNOWN_"  # as rmw has it
AHEAD = 0.02  # [s] that a stamp may lie in the future: clocks are never quite the same


@dataclass(frozen=True)
class Topics:
    """Names of the base's topics; ours lie in the graph's namespace. Parameters `hardware.*`.

    cmd_vel_type: Twist, TwistStamped, or auto: as whoever listens there takes it.
    """

    cmd_vel: str = "/cmd_vel"
    odom: str = "/odom"
    cmd_vel_type: str = AUTO

    def __post_init__(self) -> None:
        for name in ("cmd_vel", "odom"):
            value = getattr(self, name)
            if not isinstance(value, str) or not value:
                raise ValueError(f"{name}: expected the name of a topic, got {value!r}")
        if self.cmd_vel_type not in (AUTO, *TYPES):
            raise ValueError(
                f"cmd_vel_type: expected one of {', '.join((AUTO, *TYPES))}, "
                f"got {self.cmd_vel_type!r}"
            )


class TopicsPlant:
    """A `Plant` over the topics of `options.node`.

    A timer on the node looks for who takes `cmd_vel`, as Twist or TwistStamped, and who else is
    on the topics; and it stops the base when commands end, even if the thread that sends them
    hangs.
    """

    simulated = False

    def __init__(self, robot: Robot, options: PlantOptions, topics: Topics) -> None:
        from nav_msgs.msg import Odometry
        from rclpy.qos import qos_profile_sensor_data
        from ros_mbmrl.nodes.timers import every

        self._spec, self._node, self._topics = robot.spec, options.node, topics
        self._clock = options.clock
        # Looked at once a period: so the base is stopped before `state_timeout` is over.
        self._oldest = robot.spec.envelope.state_timeout - robot.spec.period
        self._channels = [channel(where) for where in robot.spec.channels]
        self._lock = threading.Lock()
        self._newest: Any = None
        self._publisher: Any = None
        self._type = ""  # of the publisher's messages
        self._moving = False
        self._unclear = self._rivals = self._givers = ""  # faults of who is on the topics
        self._commanded = 0.0
        self._received = self._sent = self._timeouts = 0
        self._subscription = self._node.create_subscription(
            Odometry, topics.odom, self._on_odom, qos_profile_sensor_data
        )
        watch = robot.spec.envelope.command_timeout / 5
        self._timer = every(self._node, watch, self._on_timer)

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
        self.stop()  # before the publisher goes
        if self._publisher is not None:
            from rclpy.duration import Duration

            self._publisher.wait_for_all_acked(Duration(seconds=0.2))
            self._node.destroy_publisher(self._publisher)

    def observe(self) -> Measurement:
        """Return the newest `odom`.

        Raises PlantFault if it is stale, never came, holds no numbers, or comes from several.
        """
        with self._lock:
            message, givers = self._newest, self._givers
        if givers:
            raise PlantFault(givers)
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
        """Send speed [m/s] and yaw rate [rad/s].

        Raises PlantFault if nobody takes them, if it is unclear who does, or if others command.
        """
        allowed = within_limits(self._spec, action)
        with self._lock:
            if self._unclear or self._rivals:
                raise PlantFault(self._unclear or self._rivals)
            # Those that match in type and quality of service, and not all who listen there.
            if self._publisher is None or self._publisher.get_subscription_count() == 0:
                raise PlantFault(self._why_nobody())
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
        if self._type == "TwistStamped":
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
        self._look_around()
        with self._lock:
            silent = self._clock() - self._commanded > self._spec.envelope.command_timeout
            if self._moving and silent:
                self._timeouts += 1
                self._rest()

    def _look_around(self) -> None:
        """Follow the type that the base takes, as a base may come back with the other one."""
        topics, node = self._topics, self._node
        takers = by_type(node.get_subscriptions_info_by_topic(topics.cmd_vel))
        taken = [name for name in TYPES if _full(name) in takers]
        if topics.cmd_vel_type != AUTO:
            taken = [topics.cmd_vel_type]
        who = " and ".join(f"{name} by {', '.join(takers.get(_full(name), ()))}" for name in taken)
        commanders = map(full_name, node.get_publishers_info_by_topic(topics.cmd_vel))
        rivals = [each for each in commanders if each != node.get_fully_qualified_name()]
        givers = by_type(node.get_publishers_info_by_topic(topics.odom))
        with self._lock:
            if len(taken) == 1 and taken[0] != self._type:
                self._advertise(taken[0])
            self._unclear = (
                f"{topics.cmd_vel} is taken as {who}: expected one of them, or cmd_vel_type"
                if len(taken) > 1
                else ""
            )
            self._rivals = (
                f"{topics.cmd_vel}: {', '.join(rivals)} publishes there as well: expected nobody"
                if rivals
                else ""
            )
            self._givers = self._why_not_odom(givers)

    def _why_not_odom(self, givers: Mapping[str, Sequence[str]]) -> str:
        """Return what is wrong with the publishers of `odom`, empty if nothing is."""
        mine = givers.get(ODOMETRY, ())
        if len(mine) > 1:
            return f"{self._topics.odom} comes from {' and '.join(mine)}: expected one of them"
        if givers and not mine:
            return f"{self._topics.odom} has {_listed(givers)}: expected {ODOMETRY}"
        return ""

    def _why_nobody(self) -> str:
        topic = self._topics.cmd_vel
        wanted = (
            f"a {self._topics.cmd_vel_type}"
            if self._topics.cmd_vel_type != AUTO
            else "a Twist or TwistStamped"
        )
        takers = by_type(self._node.get_subscriptions_info_by_topic(topic))
        same = takers.get(_full(self._type))
        if same:
            return f"{topic}: {', '.join(same)} does not match in quality of service, or not yet"
        others = f", but {_listed(takers)}" if takers else ""
        return f"{topic}: nobody takes {wanted} there{others}"

    def _advertise(self, name: str) -> None:
        """Publish messages of the type called `name` from now on. Two types at a time cannot be."""
        from geometry_msgs import msg

        if self._publisher is not None:
            self._node.destroy_publisher(self._publisher)
        self._publisher = self._node.create_publisher(getattr(msg, name), self._topics.cmd_vel, 1)
        self._type = name


def by_type(infos: Iterable[Any]) -> dict[str, list[str]]:
    """Return the nodes at one end of a topic by the type of their messages."""
    found: dict[str, list[str]] = {}
    for info in infos:
        found.setdefault(info.topic_type, []).append(full_name(info))
    return found


def full_name(info: Any) -> str:
    """Return the name of an end's node with its namespace; discovery tells it later than types."""
    if info.node_name == UNNAMED:
        return "somebody"
    return f"{info.node_namespace.rstrip('/')}/{info.node_name}"


def _full(name: str) -> str:
    return f"geometry_msgs/msg/{name}"


def _listed(ends: Mapping[str, Sequence[str]]) -> str:
    return ", ".join(f"{kind} of {' and '.join(nodes)}" for kind, nodes in ends.items())


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
