"""view: a live view of the graph for a browser; listens to everything and says nothing."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from rclpy.node import Node

from ros_mbmrl.data.message_definitions import definition
from ros_mbmrl.nodes.messages import owner_of
from ros_mbmrl.nodes.parameters import read_parameters
from ros_mbmrl.nodes.process import Ending, run
from ros_mbmrl.nodes.qos import listen
from ros_mbmrl.robots import make_robot
from ros_mbmrl.topics import TOPICS, Topic
from ros_mbmrl.view.address import HOST, PORT, Address, check_installed, greeting

NICENESS = 10  # the control loop comes first


@dataclass(frozen=True)
class ViewParameters:
    """host, port: where viewers connect; port 0: any that is free."""

    robot: str = "hexapod"
    host: str = HOST
    port: int = PORT


class ViewNode(Node):
    """Bytes in, the same bytes out, and a picture of them.

    It asks for no message a second time, so that nobody waits for it, however slow it is.
    """

    def __init__(self, name: str = "view", **options: Any) -> None:
        super().__init__(name, automatically_declare_parameters_from_overrides=True, **options)
        p = read_parameters(self, ViewParameters)
        check_installed()
        from ros_mbmrl.view.picture import Picture
        from ros_mbmrl.view.server import Server
        from ros_mbmrl.view.viewing import View

        picture = Picture(p.robot, owner_of(self, make_robot(p.robot).spec))
        self.server = Server(f"{p.robot}, live", Address(p.host, p.port))
        self._view = View(self.server, picture)
        topics: list[tuple[Topic, str, bytes]] = []
        for topic in TOPICS:
            full, schema = self.resolve_topic_name(topic.name), definition(topic.type).encode()
            topics.append((topic, full, schema))
            self.server.advertise(full, topic.type, schema)
        self.server.start()
        self._view.begin(time.time_ns())
        for topic, full, schema in topics:
            take = partial(self._on_bytes, topic, full, schema)
            listen(self, topic.name, take, raw=True, unrepeated=True)
        print(greeting(self.server.address, self.server.link()), flush=True)

    def close(self) -> None:
        """End all connections."""
        self.server.close()

    def _on_bytes(self, topic: Topic, full: str, schema: bytes, data: bytes) -> None:
        self._view.take(topic.name, full, topic.type, schema, data, time.time_ns())


def build(ending: Ending) -> Sequence[Node]:
    """The nodes of this process."""
    return [ViewNode()]


def main() -> None:
    """Entry point."""
    os.nice(NICENESS)
    raise SystemExit(run(build))


if __name__ == "__main__":
    main()
