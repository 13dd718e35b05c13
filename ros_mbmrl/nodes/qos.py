"""Quality of service as the middleware takes it: both ends of a topic have it from here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from inspect import signature
from types import MappingProxyType
from typing import Any

from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.subscription import MessageInfo, Subscription

from ros_mbmrl.nodes.links import LinkedPublisher, Links, Publishes
from ros_mbmrl.topics import QOS, topic
from ros_mbmrl.topics import message_class as message_class

KEPT = 500  # messages of a topic that a publisher keeps for those who have not confirmed them
PROFILES: Mapping[str, QoSProfile] = MappingProxyType(
    {
        name: QoSProfile(
            depth=qos.depth,
            reliability=(
                ReliabilityPolicy.RELIABLE if qos.reliable else ReliabilityPolicy.BEST_EFFORT
            ),
            durability=(
                DurabilityPolicy.TRANSIENT_LOCAL if qos.latched else DurabilityPolicy.VOLATILE
            ),
        )
        for name, qos in QOS.items()
    }
)


def advertise(node: Node, name: str, links: Links | None = None) -> Publishes:
    """Return a publisher on a topic of the graph; of a linked one, first within this process.

    It keeps what a reliable listener has not confirmed yet: a recorder that the machine holds up
    while a graph runs in lockstep, at hundreds of steps a second, would lose steps for good.
    """
    known = topic(name)
    kind, profile = message_class(known.type), copy(PROFILES[known.qos])
    if QOS[known.qos].reliable and not QOS[known.qos].latched:
        profile.depth = max(profile.depth, KEPT)
    publisher: Publishes = node.create_publisher(kind, known.name, profile)
    if links is None or name not in links.topics:
        return publisher
    return LinkedPublisher(name, publisher, links)


def listen(
    node: Node,
    name: str,
    callback: Callable[..., None],
    raw: bool = False,
    newest: bool = False,
    info: bool = False,
    unrepeated: bool = False,
    depth: int = 0,
    links: Links | None = None,
) -> Subscription[Any] | None:
    """Subscribe to a topic of the graph; to a linked one within this process alone.

    Args:
        node, name, callback: who listens to what.
        raw: the callback is given the serialised bytes.
        newest: whatever waits when the next message comes is forgotten.
        info: the callback is given the middleware's `MessageInfo` as the second argument.
        unrepeated: what was lost is not sent again, for who only looks on; latched topics are
            reliable for all.
        depth: messages that may wait, where the topic's own are not enough for who must have all.
        links: topics within this process.

    Returns:
        The subscription, None of a linked topic.
    """
    if links is not None and name in links.topics:
        links.listen(name, callback)
        return None
    known = topic(name)
    profile = copy(PROFILES[known.qos])
    if depth and not QOS[known.qos].latched:
        profile.depth = depth
    if newest:
        profile.depth = 1
    if unrepeated and not QOS[known.qos].latched:
        profile.reliability = ReliabilityPolicy.BEST_EFFORT
    called = _WithInfo(callback) if info else callback
    return node.create_subscription(message_class(known.type), known.name, called, profile, raw=raw)


class _WithInfo:
    """A callback of a message and its info, whichever executor calls it.

    The executor of events hands both over as one tuple (rclpy 9), the others as two arguments.
    """

    def __init__(self, callback: Callable[[Any, MessageInfo], None]) -> None:
        self._callback = callback
        self.__signature__ = signature(callback)  # by which rclpy sees that there are two

    def __call__(self, *arguments: Any) -> None:
        message, info = arguments if len(arguments) == 2 else arguments[0]
        self._callback(message, info)
