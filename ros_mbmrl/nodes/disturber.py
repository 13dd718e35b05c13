"""disturber: sits on topics of the graph and breaks what passes; only the fault campaign has one.

Of states the publisher is remapped to `<topic>/raw`, of commands the receiver to
`<topic>/disturbed`, so that the sender still hears what it sent. What passes goes on as it is or
disturbed. Told what to do on `faults/set`: `kind topic,topic`, or nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from rclpy.node import Node
from std_msgs.msg import String

from ros_mbmrl.faults.disturb import Disturbance, Fields, make
from ros_mbmrl.nodes.parameters import read_parameters
from ros_mbmrl.nodes.process import Ending, run
from ros_mbmrl.nodes.qos import PROFILES, message_class
from ros_mbmrl.nodes.timers import every
from ros_mbmrl.robots import make_robot
from ros_mbmrl.topics import topic

RAW, DISTURBED = "/raw", "/disturbed"
CONTROL = "faults/set"


@dataclass(frozen=True)
class DisturberParameters:
    """topics: joined by commas."""

    topics: str
    robot: str = "hexapod"


class DisturberNode(Node):
    """Passes messages on."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            "disturber", automatically_declare_parameters_from_overrides=True, **options
        )
        parameters = read_parameters(self, DisturberParameters)
        self._fields = Fields(make_robot(parameters.robot).spec)
        self._active: dict[str, Disturbance] = {}
        self._last: dict[str, Any] = {}
        self._out = {}
        for name_ in parameters.topics.split(","):
            known = topic(name_)
            command = name_.startswith("command/")
            came, goes = (name_, name_ + DISTURBED) if command else (name_ + RAW, name_)
            kind, profile = message_class(known.type), PROFILES[known.qos]
            self._out[name_] = self.create_publisher(kind, goes, profile)
            self.create_subscription(kind, came, partial(self._pass_on, name_), profile)
        self.create_subscription(String, CONTROL, self._on_control, PROFILES["latched"])

    def close(self) -> None:
        """Nothing is held."""

    def _on_control(self, message: String) -> None:
        kind, _, topics = message.data.partition(" ")
        names = [name for name in topics.split(",") if name]
        self._active = {
            name: make(kind, name, self._fields, self._last.get(name)) for name in names
        }

    def _pass_on(self, name: str, message: Any) -> None:
        disturb = self._active.get(name)
        if disturb is None:
            self._last[name] = message
        for delay, each in disturb(message) if disturb else [(0.0, message)]:
            if delay:
                self._later(delay, name, each)
            else:
                self._out[name].publish(each)

    def _later(self, delay: float, name: str, message: Any) -> None:
        def publish() -> None:
            timer.cancel()
            self.destroy_timer(timer)
            self._out[name].publish(message)

        timer = every(self, delay, publish)


def build(ending: Ending) -> Sequence[Node]:
    """The nodes of this process."""
    return [DisturberNode()]


def main() -> None:
    """Entry point."""
    raise SystemExit(run(build))


if __name__ == "__main__":
    main()
