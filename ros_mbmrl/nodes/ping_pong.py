"""ping_pong: send a command there and back between two bare processes; the peer of `bench graph`.

Nothing is adapted, planned or checked: it is what the middleware and rclpy take by themselves.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rclpy.node import Node
from sensor_msgs.msg import JointState

from ros_mbmrl.nodes.messages import command_message, from_stamp
from ros_mbmrl.nodes.parameters import read_parameters
from ros_mbmrl.nodes.process import Ending, run
from ros_mbmrl.nodes.qos import PROFILES
from ros_mbmrl.nodes.timers import every
from ros_mbmrl.robots import make_robot

THERE, BACK = "ping_pong/there", "ping_pong/back"


@dataclass(frozen=True)
class PingPongParameters:
    """path: where the one that begins writes the round trips [s], a JSON list; empty: answer.

    Messages are commands of `robot`, sent once in each of its control periods.
    """

    robot: str = "hexapod"
    path: str = ""


class PingNode(Node):
    """Send a command every period, and note when it is back. clock: [s], steady."""

    def __init__(
        self,
        settings: PingPongParameters,
        clock: Callable[[], float] = time.monotonic,
        **options: Any,
    ) -> None:
        super().__init__("ping", **options)
        self._spec, self._path = make_robot(settings.robot).spec, Path(settings.path)
        self._clock = clock
        self._sent: dict[int, float] = {}
        self.seconds: list[float] = []
        self._publisher = self.create_publisher(JointState, THERE, PROFILES["command"])
        self.create_subscription(JointState, BACK, self._on_back, PROFILES["command"])
        self._count = 0
        every(self, self._spec.period, self._send)

    def close(self) -> None:
        """Write the round trips."""
        partial = self._path.with_name(self._path.name + ".partial")
        partial.write_text(json.dumps(self.seconds))
        os.replace(partial, self._path)

    def _send(self) -> None:
        self._count += 1
        message = command_message(self._spec, np.zeros(len(self._spec.action)), self._count)
        self._sent = {self._count: self._clock()}
        self._publisher.publish(message)

    def _on_back(self, message: JointState) -> None:
        began = self._sent.pop(from_stamp(message.header.stamp), None)
        if began is not None:
            self.seconds.append(self._clock() - began)


class PongNode(Node):
    """Send back what comes."""

    def __init__(self, **options: Any) -> None:
        super().__init__("pong", **options)
        publisher = self.create_publisher(JointState, BACK, PROFILES["command"])
        self.create_subscription(JointState, THERE, publisher.publish, PROFILES["command"])

    def close(self) -> None:
        """Release nothing: nothing is held."""


def build(ending: Ending) -> Sequence[Node]:
    """Return the node of this process."""
    asked = Node("ping_pong", automatically_declare_parameters_from_overrides=True)
    settings = read_parameters(asked, PingPongParameters)
    asked.destroy_node()
    return [PingNode(settings) if settings.path else PongNode()]


def main() -> None:
    """Run the node until its process ends."""
    raise SystemExit(run(build))


if __name__ == "__main__":
    main()
