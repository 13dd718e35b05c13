"""Measurements as messages and back: the robot's specification says which number travels where."""

from __future__ import annotations

from ros_mbmrl.data.measurement_assembler import MeasurementReader
from ros_mbmrl.data.measurement_messages import MeasurementMessages
from ros_mbmrl.nodes.qos import message_class
from ros_mbmrl.robots.spec import RobotSpec


class SensorCodec(MeasurementReader):
    """Turns the measurements of one robot into messages, one a topic, and back."""

    def __init__(self, spec: RobotSpec) -> None:
        super().__init__(spec)
        self.encode = MeasurementMessages(spec, lambda kind: message_class(kind)()).encode
