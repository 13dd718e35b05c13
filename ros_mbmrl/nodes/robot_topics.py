"""RobotTopics: the robot's own topics over a node, as `plants/topics` uses them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from rclpy.clock import Clock
from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy

from ros_mbmrl.nodes.qos import message_class
from ros_mbmrl.nodes.timers import every
from ros_mbmrl.plants.topics.bus import End

UNNAMED = "_NODE_NAME_UNKNOWN_"  # as rmw has it; discovery tells names later than types
ARRIVAL = 0.2  # [s] for the last message to arrive
DEPTH = 10  # of subscriptions: each message is looked at


class RobotTopics:
    """A `Bus` of a node. Messages are stamped with the time of day, as a robot stamps its own."""

    def __init__(self, node: Node) -> None:
        self._node, self._time_of_day = node, Clock()

    @property
    def name(self) -> str:
        """See `Bus.name`."""
        return str(self._node.get_fully_qualified_name())

    def resolve(self, topic: str) -> str:
        """See `Bus.resolve`."""
        return str(self._node.resolve_topic_name(topic))

    def listen(
        self,
        topic: str,
        kind: str,
        callback: Callable[[Any], None],
        reliable: bool = False,
        latched: bool = False,
    ) -> Callable[[], None]:
        """See `Bus.listen`."""
        profile = _profile(DEPTH if not latched else 100, reliable or latched, latched)
        made = self._node.create_subscription(message_class(kind), topic, callback, profile)
        return partial(_ended, self._node.destroy_subscription, made)

    def advertise(self, topic: str, kind: str, reliable: bool = True) -> RosOutlet:
        """See `Bus.advertise`."""
        profile = _profile(1, reliable, latched=False)
        return RosOutlet(
            self._node, self._node.create_publisher(message_class(kind), topic, profile)
        )

    def givers(self, topic: str) -> Sequence[End]:
        """See `Bus.givers`."""
        return _ends(self._node.get_publishers_info_by_topic(topic))

    def takers(self, topic: str) -> Sequence[End]:
        """See `Bus.takers`."""
        return _ends(self._node.get_subscriptions_info_by_topic(topic))

    def every(self, period: float, callback: Callable[[], None]) -> Callable[[], None]:
        """See `Bus.every`."""
        timer = every(self._node, period, callback)
        return partial(_ended, self._node.destroy_timer, timer)

    def stamp(self) -> Any:
        """See `Bus.stamp`."""
        return self._time_of_day.now().to_msg()


class RosOutlet:
    """An `Outlet` of a node."""

    def __init__(self, node: Node, publisher: Publisher[Any]) -> None:
        self._node, self._publisher = node, publisher

    def publish(self, message: Any) -> None:
        """See `Outlet.publish`."""
        self._publisher.publish(message)

    def listeners(self) -> int:
        """See `Outlet.listeners`."""
        return int(self._publisher.get_subscription_count())

    def close(self) -> None:
        """See `Outlet.close`."""
        self._publisher.wait_for_all_acked(Duration(seconds=ARRIVAL))
        self._node.destroy_publisher(self._publisher)


def _profile(depth: int, reliable: bool, latched: bool) -> QoSProfile:
    return QoSProfile(
        depth=depth,
        reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
    )


def _ends(infos: Iterable[Any]) -> Sequence[End]:
    loose = ReliabilityPolicy.BEST_EFFORT
    return [
        End(_full_name(info), info.topic_type, info.qos_profile.reliability != loose)
        for info in infos
    ]


def _full_name(info: Any) -> str:
    if info.node_name == UNNAMED:
        return "somebody"
    return f"{info.node_namespace.rstrip('/')}/{info.node_name}"


def _ended(end: Callable[[Any], Any], what: Any) -> None:
    end(what)
