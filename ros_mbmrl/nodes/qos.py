"""Quality of service, once: both ends of a topic take it from this table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from importlib import import_module
from types import MappingProxyType
from typing import Any

from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.subscription import Subscription

from ros_mbmrl.topics import topic

PROFILES: Mapping[str, QoSProfile] = MappingProxyType(
    {
        "state": QoSProfile(depth=20, reliability=ReliabilityPolicy.RELIABLE),
        # Deep enough for those who must see every command; those who act on it take the newest.
        "command": QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE),
        "latched": QoSProfile(
            depth=1,
            reliability=ReliabilityPolicy.RELIABLE,
            durability=DurabilityPolicy.TRANSIENT_LOCAL,
        ),
        "diagnostics": QoSProfile(depth=50, reliability=ReliabilityPolicy.RELIABLE),
        "sensor": QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT),
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
    node: Node, name: str, callback: Callable[..., None], raw: bool = False, newest: bool = False
) -> Subscription[Any]:
    """A subscription to a topic of the graph; `raw` gives the serialised bytes.

    newest: whatever waits when the next message comes is forgotten.
    """
    known = topic(name)
    profile = copy(PROFILES[known.qos])
    if newest:
        profile.depth = 1
    return node.create_subscription(
        message_class(known.type), known.name, callback, profile, raw=raw
    )
