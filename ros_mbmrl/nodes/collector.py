"""collector: the running graph as a collector of an asynchronous run (thesis, Algorithm 6).

It cuts the drive into episodes, tells them on `episode`, and pushes each into the run's data. A
stop of the safety monitor pauses the run. A path that is finished is followed again. It ends the
graph once there are enough trajectories.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from nav_msgs.msg import Path as PathMessage
from rclpy.node import Node
from std_msgs.msg import Bool

from ros_mbmrl.collection.episodes import Event
from ros_mbmrl.data.measurement_assembler import MeasurementAssembler
from ros_mbmrl.data.step_reader import CONTROLLER
from ros_mbmrl.data.steps import DIAGNOSTICS, SAFE
from ros_mbmrl.errors import UserError
from ros_mbmrl.home import expand_home
from ros_mbmrl.nodes.messages import (
    diagnostics,
    nanoseconds,
    owner_of,
    read_path,
    read_status,
    status,
)
from ros_mbmrl.nodes.parameters import read_parameters
from ros_mbmrl.nodes.process import Ending, run
from ros_mbmrl.nodes.qos import advertise, listen
from ros_mbmrl.nodes.timers import every
from ros_mbmrl.planning.modes import Mode
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.paths import Path as RobotPath

TELL = 1.0  # [s] between two messages of figures
STOPPED = "the safety monitor has stopped the robot: expected safety/reset"


@dataclass(frozen=True)
class CollectorParameters:
    """learning: folder of the run. name: of this collector among those of the run.

    episode_seconds: length of a trajectory [s]. trajectories: number at which the run, and with it
    the graph, ends; 0: no end. task: that returns are of, of a robot that follows
    no path. terrain: where the robot is.
    """

    learning: str
    robot: str = "hexapod"
    name: str = "graph-0"
    episode_seconds: float = 20.0
    trajectories: int = 0
    task: str = ""
    terrain: str = ""
    seed: int = 0


class CollectorNode(Node):
    """Messages around `LiveCollector`."""

    linger = 0.2

    def __init__(self, ending: Ending, **options: Any) -> None:
        super().__init__(
            "collector", automatically_declare_parameters_from_overrides=True, **options
        )
        from ros_mbmrl.learning.asynchronous.live_collector import LiveCollector

        p = read_parameters(self, CollectorParameters)
        self._ending, robot = ending, make_robot(p.robot)
        self._owner = owner_of(self, robot.spec)
        try:
            self._collector = LiveCollector(
                Path(expand_home(p.learning, "learning")),
                robot,
                self._owner,
                p.episode_seconds,
                p.trajectories or None,
                name=p.name,
                task=p.task,
                terrain=p.terrain or "unknown",
                seed=p.seed,
            )
        except ValueError as error:
            raise UserError(f"collector: {error}") from None
        self._assembler = MeasurementAssembler(robot.spec)
        self._stamp: int | None = None  # of the newest state [ns]
        self._path: PathMessage | None = None  # as it was heard
        self._set = advertise(self, "reference/set")
        self._episode = advertise(self, "episode")
        self._diagnostics = advertise(self, DIAGNOSTICS)
        listen(self, "reference", self._on_reference)
        listen(self, "safety/state", self._on_stop)
        for topic in (SAFE, DIAGNOSTICS):
            listen(self, topic, partial(self._on_answer, topic))
        for topic in self._assembler.topics:
            listen(self, topic, partial(self._on_sensor, topic))
        every(self, TELL, self._tell)

    def close(self) -> None:
        """Discard the episode that runs; what was pushed is kept."""
        self._say(self._collector.close())

    def _on_sensor(self, topic: str, message: Any) -> None:
        self._collector.take(topic, message, time.time_ns())
        measurement = self._assembler.add(topic, message)
        if measurement is None:
            return
        stamp = nanoseconds(measurement.time)
        if stamp == self._stamp:
            return
        self._stamp = stamp
        self._say(self._collector.measured(stamp))
        if self._collector.complete:
            self._ending.end(0, f"{self._collector.trajectories} trajectories: the run is complete")

    def _on_answer(self, topic: str, message: Any) -> None:
        self._collector.take(topic, message, time.time_ns())
        if topic == DIAGNOSTICS and self._path is not None:
            values = read_status(message, CONTROLLER, self._owner) or {}
            if values.get("mode") == Mode.FINISHED.label:
                self._set.publish(self._path)  # a robot at rest shows nothing: it walks it again
                self._path = None  # until it is heard

    def _on_stop(self, message: Bool) -> None:
        self._say(self._collector.stop(STOPPED if message.data else ""))

    def _on_reference(self, message: PathMessage) -> None:
        try:
            self._collector.follow(RobotPath.from_points(read_path(message)))
        except UserError as error:
            self.get_logger().warning(f"reference: refused: {error}")
            return
        self._path = message

    def _say(self, events: Sequence[Event]) -> None:
        for event in events:
            line = status("collect", "episode", self._owner, self._collector.described(event))
            self._episode.publish(diagnostics(nanoseconds(event.time), line))

    def _tell(self) -> None:
        """Publish how the run goes, for the live view and the recording."""
        lines = self._collector.figures()
        if self._stamp is None:
            return
        each = [status("learning", name, self._owner, values) for name, values in lines.items()]
        self._diagnostics.publish(diagnostics(self._stamp, *each))


def build(ending: Ending) -> Sequence[Node]:
    """Return the nodes of this process."""
    return [CollectorNode(ending)]


def main() -> None:
    """Run the node until its process ends."""
    raise SystemExit(run(build))


if __name__ == "__main__":
    main()
