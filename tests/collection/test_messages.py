"""Messages without a middleware, byte by byte those of ROS."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ros_mbmrl.collection.messages import Messages
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
        # By bytes: what is not measured is NaN, which equals nothing.
        ours_sent = serialization.serialize_message(back(name, message))
        assert ours_sent == serialization.serialize_message(theirs[name]), name

    from ros_mbmrl.collection.messages import command, diagnostic

    action, stamp = np.array([1.5, 2.5]), 1_234_567_890
    blank = messages.blank(topic("command/safe").type)
    sent = back("command/safe", command(ROBOT.spec, blank, action, stamp))
    assert sent == command_message(ROBOT.spec, action, stamp)
    values = {"event": "start", "index": "1"}
    blank = messages.blank(topic("/diagnostics").type)
    told = back("/diagnostics", diagnostic(blank, stamp, "collect: episode", "hexapod", values))
    assert told == diagnostics(stamp, status("collect", "episode", "hexapod", values))
