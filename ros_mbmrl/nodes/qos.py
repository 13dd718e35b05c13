"""Quality of service as the middleware takes it: both ends of a topic have it from here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from importlib import import_module
from inspect import signature
from types import MappingProxyType
from typing import Any

from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.subscription import MessageInfo, Subscription

from ros_mbmrl.topics import QOS, topic

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


def message_class(name: str) -> type:
    """The Python class of a message type such as `sensor_msgs/msg/JointState`."""
    package, _, kind = name.split("/")
    cls: type = getattr(import_module(f"{package}.msg"), kind)
    return cls


def advertise(node: Node, name: str) -> Publisher[Any]:
    """A publisher on a topic of the graph."""
    known = topic(name)
    return node.create_publisher(message_class(known.type), known.name, PROFILES[known.qos])


def listen(
    node: Node,
    name: str,
    callback: Callable[..., None],
    raw: bool = False,
    newest: bool = False,
    info: bool = False,
) -> Subscription[Any]:
    """A subscription to a topic of the graph; `raw` gives the serialised bytes.

    newest: whatever waits when the next message comes is forgotten. info: the callback is given
    the middleware's `MessageInfo` as the second argument.
    """
    known = topic(name)
    profile = copy(PROFILES[known.qos])
    if newest:
        profile.depth = 1
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
