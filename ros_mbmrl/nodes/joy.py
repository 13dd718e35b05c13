"""The topic `joy`: feeds a `Joystick`, and says in one line why it does not drive."""

from __future__ import annotations

from collections.abc import Callable

from rclpy.node import Node
from sensor_msgs.msg import Joy

from ros_mbmrl.collection.joystick import Joystick
from ros_mbmrl.collection.requests import Request
from ros_mbmrl.nodes.qos import listen
from ros_mbmrl.nodes.timers import every

CHECK = 1.0  # [s] between looks at whether it counts
PATIENCE = 5.0  # [s] for a first message
JOY = "sensor_msgs/msg/Joy"


class JoyListener:
    """Hands messages to `joystick` and what its buttons ask for to `obey`.

    awaited: whether the joystick is what drives. Joysticks of other namespaces are named in a
    hint and never listened to: with two robots, one joystick would drive both. clock: [s], steady.
    """

    def __init__(
        self,
        node: Node,
        joystick: Joystick,
        obey: Callable[[Request], None],
        awaited: Callable[[], bool],
        clock: Callable[[], float],
    ) -> None:
        self._node, self._joystick, self._obey = node, joystick, obey
        self._awaited, self._clock = awaited, clock
        self._began = clock()
        self._hinted = False
        self._told = ""
        listen(node, "joy", self._on_joy)
        every(node, CHECK, self._check)

    def _on_joy(self, message: Joy) -> None:
        self._hinted = True
        stamp = message.header.stamp.sec + 1e-9 * message.header.stamp.nanosec
        requests = self._joystick.update(
            list(message.axes), list(message.buttons), stamp if stamp != 0 else None
        )
        for request in requests:
            self._obey(request)

    def _check(self) -> None:
        doubt = self._joystick.doubt
        if doubt and doubt != self._told:
            self._node.get_logger().warning(f"joystick: {doubt}")
        self._told = doubt
        if not self._hinted and self._awaited() and self._clock() - self._began >= PATIENCE:
            self._hinted = True
            self._hint()

    def _hint(self) -> None:
        topic = self._node.resolve_topic_name("joy")
        if self._node.count_publishers(topic):
            return  # a joystick that has not been touched yet
        others = [
            name
            for name, types in self._node.get_topic_names_and_types()
            if JOY in types and self._node.count_publishers(name)
        ]
        what = f"{', '.join(others)} has a publisher" if others else "no other topic has joysticks"
        self._node.get_logger().warning(
            f"joystick: nobody publishes {topic}; {what}: start the joystick's node with "
            f"--ros-args -r joy:={topic}"
        )
