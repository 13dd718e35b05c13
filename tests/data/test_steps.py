"""Whose recording it is, and which topics it must hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from ros_mbmrl.data.recording import RecordingInfo, TopicInfo
from ros_mbmrl.data.steps import named, needed_topics, robot_of
from ros_mbmrl.errors import UserError
from ros_mbmrl.robots import make_robot

NOTHING = TopicInfo("", 1, 0, 0)


def _info(*topics: str) -> RecordingInfo:
    return RecordingInfo(dict.fromkeys(topics, NOTHING), 0, 0, 0, True)


def test_the_namespace_tells_the_robot() -> None:
    assert robot_of(Path("a"), _info("/clock", "/hexapod/odom")) == "hexapod"
    for topics, words in (
        (("/clock", "/spider/odom"), "no topic of a known robot"),
        (("/hexapod/odom", "/pr2_arm/joint_states"), "topics of hexapod, pr2_arm"),
    ):
        with pytest.raises(UserError, match=words):
            robot_of(Path("a"), _info(*topics))


def test_topics_are_found_in_the_robots_namespace_or_where_there_is_only_one() -> None:
    names = ("odom", "imu", "/diagnostics")
    info = _info("/hexapod/odom", "/other/odom", "/lab/imu", "/diagnostics", "/hexapod/x/imu2")
    assert named("hexapod", info, names) == {
        "/hexapod/odom": "odom",
        "/lab/imu": "imu",
        "/diagnostics": "/diagnostics",
    }


def test_what_is_needed_is_what_the_robot_measures_and_was_told() -> None:
    assert needed_topics(make_robot("hexapod").spec.channels) == (
        *("odom", "imu", "joint_states", "back_emf", "battery", "command/safe"),
    )
