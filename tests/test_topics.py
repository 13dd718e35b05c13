"""The table of topics: unique names, types that are installed, known qualities of service."""

from __future__ import annotations

import pytest

from ros_mbmrl.data.message_definitions import definition
from ros_mbmrl.errors import UserError
from ros_mbmrl.topics import QOS, TOPICS, TRANSFORMS, message_class, topic


def test_each_topic_is_found_by_its_name_and_has_a_quality() -> None:
    for each in (*TOPICS, *TRANSFORMS):
        assert topic(each.name) is each
        assert each.qos in QOS
    with pytest.raises(KeyError):
        topic("command/unsafe")


@pytest.mark.parametrize("type_name", sorted({each.type for each in (*TOPICS, *TRANSFORMS)}))
def test_its_type_has_a_definition(type_name: str) -> None:
    try:
        text = definition(type_name)
    except UserError as error:
        pytest.skip(str(error))
    assert text.strip()


def test_commands_are_reliable_and_the_last_word_of_safety_is_kept() -> None:
    assert QOS[topic("command/safe").qos].reliable
    latched = {each.name for each in TOPICS if QOS[each.qos].latched}
    assert latched == {"reference", "safety/state", "episode", "robot_description"}


def test_the_class_of_a_type() -> None:
    pytest.importorskip("sensor_msgs")
    assert message_class("sensor_msgs/msg/JointState").__name__ == "JointState"
    with pytest.raises(ImportError):
        message_class("no_such_msgs/msg/JointState")
