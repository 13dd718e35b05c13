"""robot_state: the robot's model on `robot_description`, and its transforms on /tf and /tf_static.

For people and for other packages. It is no part of the control path: nothing that acts waits for
it or hears it. Transforms need `tf2_msgs`, which a ROS distribution has; without it only the model
is published, and recordings have the transforms all the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from typing import Any

from rclpy.node import Node
from std_msgs.msg import String

from ros_mbmrl.data.measurement_assembler import MeasurementAssembler
from ros_mbmrl.nodes.parameters import read_parameters
from ros_mbmrl.nodes.process import Ending, run
from ros_mbmrl.nodes.qos import advertise, listen, message_class
from ros_mbmrl.robots import make_robot
from ros_mbmrl.share import sim_path
from ros_mbmrl.topics import MOVING, STATIC


@dataclass(frozen=True)
class RobotStateParameters:
    """robot: whose model and transforms. transforms: publish them, where `tf2_msgs` is there."""

    robot: str = "hexapod"
    transforms: bool = True


class RobotStateNode(Node):
    """Messages around `TransformMessages`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            "robot_state", automatically_declare_parameters_from_overrides=True, **options
        )
        parameters = read_parameters(self, RobotStateParameters)
        robot = make_robot(parameters.robot)
        self._newest = -1.0
        self._description = advertise(self, "robot_description")
        urdf = sim_path(f"urdf/{parameters.robot}.urdf").read_text(encoding="utf-8")
        self._description.publish(String(data=urdf))
        if not parameters.transforms:
            return
        if find_spec("tf2_msgs") is None:
            self.get_logger().info("no transforms: tf2_msgs is not installed")
            return
        from ros_mbmrl.collection.transforms import TransformMessages  # and with it MuJoCo

        self._messages = TransformMessages(parameters.robot, lambda kind: message_class(kind)())
        self._moving, self._static = advertise(self, MOVING), advertise(self, STATIC)
        self._assembler = MeasurementAssembler(robot.spec)
        for topic in self._assembler.topics:
            listen(self, topic, partial(self._on_sensor, topic))

    def close(self) -> None:
        """Release nothing: nothing is held."""

    def _on_sensor(self, topic: str, message: Any) -> None:
        measurement = self._assembler.add(topic, message)
        if measurement is None or measurement.time == self._newest:
            return  # a step that is sent again would be a repeated transform
        if self._newest < 0:
            self._static.publish(self._messages.fixed(measurement))
        self._newest = measurement.time
        moving = self._messages.moving(measurement)
        if moving is not None:
            self._moving.publish(moving)


def build(ending: Ending) -> Sequence[Node]:
    """Return the nodes of this process."""
    return [RobotStateNode()]


def main() -> None:
    """Run the node until its process ends."""
    raise SystemExit(run(build))


if __name__ == "__main__":
    main()
