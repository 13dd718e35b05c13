"""Subscriptions: what a callback is given, whichever executor calls it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

pytest.importorskip("rclpy")
from rclpy import experimental
from rclpy.executors import SingleThreadedExecutor
from rclpy.serialization import deserialize_message
from std_msgs.msg import Bool

from ros_mbmrl.nodes.qos import advertise, listen

# The one that the nodes run on, where rclpy has it, and the one that they fall back on.
EXECUTORS = (
    SingleThreadedExecutor,
    getattr(experimental, "EventsExecutor", SingleThreadedExecutor),
)


@pytest.mark.parametrize("make", EXECUTORS)
@pytest.mark.parametrize("raw", [False, True])
def test_a_callback_is_given_when_a_message_was_sent(
    make: Callable[[], Any], raw: bool, context: Any, until: Callable[[Callable[[], bool]], None]
) -> None:
    import rclpy

    node = rclpy.create_node("listener", context=context)
    got: list[Any] = []

    def heard(what: str, message: Any, info: Any) -> None:
        got.append((what, deserialize_message(message, Bool) if raw else message, info))

    listen(node, "safety/state", partial(heard, "state"), raw=raw, info=True)
    publisher = advertise(node, "safety/state")
    executor = make(context=context)
    executor.add_node(node)

    def came() -> bool:
        publisher.publish(Bool(data=True))
        executor.spin_once(timeout_sec=0.1)
        return bool(got)

    until(came)
    executor.shutdown()
    node.destroy_node()
    what, message, info = got[0]
    assert (what, message.data) == ("state", True)
    assert 0 < info["source_timestamp"] <= info["received_timestamp"]
