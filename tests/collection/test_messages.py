"""Messages without a middleware, byte by byte those of ROS."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ros_mbmrl.collection.messages import Messages, command, diagnostic
from ros_mbmrl.data.measurement_messages import MeasurementMessages, measurement_topics
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.measurement import Measurement
from ros_mbmrl.topics import topic

ROBOT = make_robot("hexapod")


def measured(k: int) -> Measurement:
    rng = np.random.default_rng(k)
    values = np.array([0.02 * k, 0, 0.05, 1, 0, 0, 0, *[0] * 6, k, 2 * k, 0.5, 0.6, 3.9])
    values[7:13] += 0.01 * rng.normal(size=6)
    return Measurement(round(1.0 + 0.1 * k, 9), values, 0.004)


@pytest.mark.parametrize("previous", [None, measured(2)])
def test_the_messages_are_the_graphs(previous: Measurement | None) -> None:
    serialization = pytest.importorskip("rclpy.serialization", reason="rclpy is not installed")
    from ros_mbmrl.nodes.messages import command_message, diagnostics, status
    from ros_mbmrl.nodes.qos import message_class
    from ros_mbmrl.nodes.sensors import SensorCodec

    messages = Messages((*measurement_topics(ROBOT.spec), "command/safe", "/diagnostics"))

    def back(name: str, message: Any) -> Any:
        kind = topic(name).type
        data = messages.encode(kind, message)
        return serialization.deserialize_message(data, message_class(kind))

    codec = SensorCodec(ROBOT.spec)
    ours = MeasurementMessages(ROBOT.spec, messages.blank)
    assert ours.topics == codec.topics
    theirs = codec.encode(measured(3), previous)
    for name, message in ours.encode(measured(3), previous).items():
        # By their texts: NaN, of what is not measured, equals nothing, and padding in bytes is
        # whatever was in the memory before.
        sent = serialization.serialize_message(theirs[name])
        expected = serialization.deserialize_message(sent, message_class(topic(name).type))
        assert repr(back(name, message)) == repr(expected), name

    action, stamp = np.array([1.5, 2.5]), 1_234_567_890
    blank = messages.blank(topic("command/safe").type)
    sent = back("command/safe", command(ROBOT.spec, blank, action, stamp))
    assert sent == command_message(ROBOT.spec, action, stamp)
    values = {"event": "start", "index": "1"}
    blank = messages.blank(topic("/diagnostics").type)
    told = back("/diagnostics", diagnostic(blank, stamp, "collect: episode", "hexapod", values))
    assert told == diagnostics(stamp, status("collect", "episode", "hexapod", values))


def test_a_blank_message_has_every_field_at_its_default() -> None:
    messages = Messages(("command/safe",))
    kind = topic("command/safe").type
    blank = messages.blank(kind)
    assert (blank.header.stamp.sec, blank.header.frame_id) == (0, "")
    assert len(blank.name) == len(blank.velocity) == 0
    assert messages.blank(kind) is not blank
    with pytest.raises(KeyError):
        messages.blank("nav_msgs/msg/Path")  # of a topic that was not named


@pytest.mark.parametrize(("robot", "field"), [("hexapod", "velocity"), ("pr2_arm", "effort")])
def test_a_command_names_its_joints_and_travels_by_its_unit(robot: str, field: str) -> None:
    spec = make_robot(robot).spec
    action = np.linspace(-1.0, 1.0, len(spec.action))
    blank = Messages(("command/safe",)).blank(topic("command/safe").type)
    message = command(spec, blank, action, 3_000_000_007)
    assert (message.header.stamp.sec, message.header.stamp.nanosec) == (3, 7)
    assert message.name == [limit.name for limit in spec.action]
    assert getattr(message, field) == action.tolist()
    assert len(message.position) == 0
