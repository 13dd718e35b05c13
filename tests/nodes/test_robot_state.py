"""robot_state: the model for all who come later, and transforms where their type is installed."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("rclpy")
from std_msgs.msg import String

from ros_mbmrl.nodes import robot_state
from ros_mbmrl.nodes.qos import listen, message_class
from ros_mbmrl.nodes.robot_state import RobotStateNode
from ros_mbmrl.nodes.sensors import SensorCodec
from ros_mbmrl.robots import make_robot
from ros_mbmrl.robots.measurement import Measurement
from ros_mbmrl.simulation.urdf import make_urdf

VALUES = np.array([0.3, -0.2, 0.03, 1.0, *[0.0] * 14])


@pytest.fixture
def with_tf2(monkeypatch: pytest.MonkeyPatch, outbox: Any) -> Any:
    """The node as it is where `tf2_msgs` is installed; what it publishes is in the outbox."""

    def stand_in(kind: str) -> Any:
        return SimpleNamespace if kind.startswith("tf2_msgs/") else message_class(kind)

    monkeypatch.setattr(robot_state, "find_spec", lambda name: name)
    monkeypatch.setattr(robot_state, "message_class", stand_in)
    monkeypatch.setattr(robot_state, "advertise", outbox.advertise)
    return outbox


def test_the_model_is_there_for_who_comes_later(context: Any, spin: Any, until: Any) -> None:
    import rclpy

    node = RobotStateNode(context=context)
    late = rclpy.create_node("late", context=context)
    told: list[String] = []
    listen(late, "robot_description", told.append)
    spin(node, late)
    until(lambda: bool(told))
    assert told[0].data == make_urdf("hexapod")


def test_transforms_follow_the_measurements(context: Any, with_tf2: Any) -> None:
    node = RobotStateNode(context=context)
    codec = SensorCodec(make_robot("hexapod").spec)
    for time, x in ((1.0, 0.3), (1.1, 0.4), (1.1, 0.4)):  # the last one is sent again
        values = VALUES.copy()
        values[0] = x
        for topic, message in codec.encode(Measurement(time, values), None).items():
            node._on_sensor(topic, message)
    (static,) = with_tf2.sent["/tf_static"]
    assert [each.child_frame_id for each in static.transforms] == ["odom"]
    moved = []
    for message in with_tf2.sent["/tf"]:
        base = next(each for each in message.transforms if each.child_frame_id == "base_link")
        moved.append((base.header.stamp.nanosec, base.transform.translation.x))
    assert moved == [(0, pytest.approx(0.3)), (100_000_000, pytest.approx(0.4))]
    node.destroy_node()


def test_transforms_can_be_left_to_others(context: Any, with_tf2: Any) -> None:
    from rclpy.parameter import Parameter

    given = [Parameter("transforms", value=False)]
    node = RobotStateNode(context=context, parameter_overrides=given)
    assert list(with_tf2.sent) == ["robot_description"]
    own = [node.get_name(), node.get_namespace()]
    assert "/odom" not in {t for t, _ in node.get_subscriber_names_and_types_by_node(*own)}
    node.destroy_node()
