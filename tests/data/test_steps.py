"""Whose recording it is, what it must hold, and what belongs to a step."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
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
    assert needed_topics(make_robot("hexapod").spec) == (
        *("odom", "imu", "joint_states", "back_emf", "battery", "command/safe"),
    )


def test_a_step_holds_what_belongs_to_it(
    script: Any, measurement: Callable[[int], np.ndarray]
) -> None:
    script.steps(0, 3)
    script.command(1_100_000_000, [5.0, 6.0], "command/proposed")
    script.command(1_200_000_000, [], "command/proposed")
    script.timing(1_100_000_000, offset=0.031)
    script.timing(1_200_000_000, missed=1, offset=math.nan)
    first, second, third = script.run().steps
    np.testing.assert_array_equal(second.measurement, measurement(1))
    assert (first.planned, first.proposed) == (False, None)
    assert second.planned and second.proposed is not None
    assert second.proposed.tolist() == [5.0, 6.0]
    assert (third.planned, third.proposed, third.late) == (True, None, True)
    assert (second.offset, second.late) == (0.031, False)
    assert second.measured == second.stamp - 5_000_000
    assert second.logged == script.ahead + second.stamp


def test_a_step_that_is_sent_again_counts_once(
    script: Any, measurement: Callable[[int], np.ndarray]
) -> None:
    script.steps(0, 3)
    script.state(1_200_000_000, measurement(2))
    run = script.run()
    assert len(run.steps) == 3
    assert run.period == pytest.approx(0.1)
