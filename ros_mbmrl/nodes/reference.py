"""reference: lays the named path from where the robot starts; passes on any other Path."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from nav_msgs.msg import Path as PathMessage
from rclpy.node import Node

from ros_mbmrl.data.measurement_assembler import MeasurementAssembler
from ros_mbmrl.errors import UserError
from ros_mbmrl.nodes.messages import nanoseconds, path_message, read_path
from ros_mbmrl.nodes.parameters import read_parameters
from ros_mbmrl.nodes.process import Ending, run
from ros_mbmrl.nodes.qos import advertise, listen
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.estimator import StateEstimator
from ros_mbmrl.robots.paths import Path, make_path


@dataclass(frozen=True)
class ReferenceParameters:
    """path: a name, or nothing: wait for a Path on `reference/set`."""

    robot: str = "hexapod"
    path: str = "straight"


class ReferenceNode(Node):
    """Publishes `reference`, latched."""

    def __init__(self, name: str = "reference", **options: Any) -> None:
        super().__init__(name, automatically_declare_parameters_from_overrides=True, **options)
        parameters = read_parameters(self, ReferenceParameters)
        self._robot = make_robot(parameters.robot)
        self._path: Path | None = make_path(parameters.path) if parameters.path else None
        self._estimator = StateEstimator(self._robot)
        self._assembler = MeasurementAssembler(self._robot.spec)
        self._reference = advertise(self, "reference")
        listen(self, "reference/set", self._on_set)
        for topic in self._assembler.topics:
            listen(self, topic, partial(self._on_sensor, topic))

    def close(self) -> None:
        """Nothing is held."""

    def _on_sensor(self, topic: str, message: Any) -> None:
        if self._path is None:
            return
        measurement = self._assembler.add(topic, message)
        if measurement is None:
            return
        pose = self._robot.pose(self._estimator.update(measurement))
        if pose is None:
            raise UserError(f"reference: {self._robot.spec.name} follows no path")
        path, self._path = self._path.placed(*pose), None
        poses = np.column_stack([path.points, path.heading])
        self._reference.publish(path_message(poses, nanoseconds(measurement.time)))

    def _on_set(self, message: PathMessage) -> None:
        try:
            Path.from_points(read_path(message))
        except UserError as error:
            self.get_logger().warning(f"reference/set: refused: {error}")
            return
        self._path = None
        self._reference.publish(message)


def build(ending: Ending) -> Sequence[Node]:
    """The nodes of this process."""
    return [ReferenceNode()]


def main() -> None:
    """Entry point."""
    raise SystemExit(run(build))


if __name__ == "__main__":
    main()
