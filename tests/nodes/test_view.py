"""The view node: it hears everything, holds nobody up, and says in one line what is wrong."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("rclpy")
pytest.importorskip("foxglove")
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, ReliabilityPolicy
from rclpy.serialization import deserialize_message

from ros_mbmrl.errors import UserError
from ros_mbmrl.nodes.messages import header, path_message
from ros_mbmrl.nodes.qos import advertise, message_class
from ros_mbmrl.nodes.view import ViewNode
from ros_mbmrl.topics import QOS, TOPICS

Until = Callable[[Callable[[], bool]], None]


def made(context: Any, **parameters: Any) -> ViewNode:
    given = [Parameter(name, value=value) for name, value in {"port": 0, **parameters}.items()]
    return ViewNode(context=context, namespace="/hexapod", parameter_overrides=given)


def test_every_topic_is_sent_on_as_the_bytes_that_came(
    context: Any, spin: Any, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    node, talker = made(context), Node("talker", context=context, namespace="/hexapod")
    came: dict[str, tuple[Any, ...]] = {}
    monkeypatch.setattr(node._view, "take", lambda name, *rest: came.update({name: rest}))
    publishers = {topic.name: advertise(talker, topic.name) for topic in TOPICS}
    spin(node, talker)

    def said() -> bool:
        for topic in TOPICS:
            message = message_class(topic.type)()
            if hasattr(message, "header"):
                message.header = header(7)
            publishers[topic.name].publish(message)
        return set(came) == set(publishers)

    until(said)
    for topic in TOPICS:
        full, kind, schema, data, now = came[topic.name]
        assert (full, kind) == (talker.resolve_topic_name(topic.name), topic.type)
        assert schema and now > 0
        deserialize_message(data, message_class(topic.type))


def test_nothing_is_sent_to_it_twice_but_what_is_latched(context: Any) -> None:
    node = made(context)
    profiles = {each.topic_name: each.qos_profile for each in node.subscriptions}
    for topic in TOPICS:
        profile = profiles[node.resolve_topic_name(topic.name)]
        latched = QOS[topic.qos].latched
        assert (profile.reliability == ReliabilityPolicy.RELIABLE) is latched
        assert (profile.durability == DurabilityPolicy.TRANSIENT_LOCAL) is latched
    publishes = {name for name, _ in node.get_publisher_names_and_types_by_node("view", "/hexapod")}
    assert publishes <= {"/rosout", "/parameter_events"}
    node.close()
    node.destroy_node()


def test_what_was_latched_before_it_came_is_shown(context: Any, spin: Any, until: Until) -> None:
    talker = Node("talker", context=context, namespace="/hexapod")
    advertise(talker, "reference").publish(path_message([(0, 0), (1, 0)], 7))
    node = made(context)
    spin(talker, node)
    until(lambda: node._view.messages > 0)


def test_it_says_where_it_is(context: Any, capsys: pytest.CaptureFixture[str]) -> None:
    node = made(context)
    said = capsys.readouterr().out
    assert said.startswith(f"live view at ws://127.0.0.1:{node.server.address.port}: open file://")
    assert said.count("\n") == 1
    node.close()
    node.destroy_node()


def test_a_taken_port_is_one_line(context: Any) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(UserError, match="is taken.*choose another port") as error:
            made(context, port=taken.getsockname()[1])
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("parameters", [{"port": 70000}, {"host": ""}, {"layout": "x"}])
def test_bad_parameters_are_refused(context: Any, parameters: dict[str, Any]) -> None:
    with pytest.raises(UserError, match="expected"):
        made(context, **parameters)
