"""The line on how a run goes, from messages as the graph sends them."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("rclpy")

from nav_msgs.msg import Odometry
from rclpy.serialization import serialize_message

from ros_mbmrl.adaptation import DOES_NOT_ADAPT
from ros_mbmrl.nodes.messages import command_message, diagnostics, path_message, status
from ros_mbmrl.nodes.progress import Progress
from ros_mbmrl.robots.hexapod import SPEC

TENTH = 10**8  # [ns]


def walk(progress: Progress, tenths: int, rests: int = 3, y: float = 0.008) -> None:
    """Walks along x at 0.3 m/s, after a few commands of rest."""
    for k in range(tenths + rests + 1):
        x = 0.03 * max(0, k - rests)
        odom = Odometry()
        odom.pose.pose.position.x, odom.pose.pose.position.y = x, y
        command = command_message(SPEC, np.full(2, 5.0 * (k >= rests)), k * TENTH)
        progress.take("odom", serialize_message(odom))
        progress.take("command/safe", serialize_message(command))


def safety(level: str, reasons: str = "", owner: str = "hexapod") -> bytes:
    line = status("safety", "state", owner, {"level": level, "reasons": reasons})
    return serialize_message(diagnostics(0, line))


def adaptation(accepted: bool, reason: str) -> bytes:
    values = {"accepted": accepted, "reason": reason}
    return serialize_message(diagnostics(0, status("dynamics", "adaptation", "hexapod", values)))


STRAIGHT = serialize_message(path_message([(0.0, 0.0), (9.0, 0.0)], 0))


def test_a_run_along_a_path() -> None:
    progress = Progress("hexapod", 40.0, "leg_left_middle@20")
    progress.take("reference", STRAIGHT)
    walk(progress, 120)
    progress.take("adaptation", adaptation(True, "accepted"))
    progress.take("/diagnostics", safety("RUN"))
    progress.take("/diagnostics", safety("LATCHED", "tip_over", owner="half_cheetah"))
    assert progress.line() == "12 s of 40, 0.8 cm from the path, adaptation on, safety ok"


def test_a_robot_that_is_broken_and_stopped() -> None:
    progress = Progress("hexapod", 0.0, "leg_left_middle@2")
    walk(progress, 30)
    progress.take("adaptation", adaptation(False, "no better than the prior"))
    progress.take("/diagnostics", safety("LATCHED", "tip_over: 1.2 rad"))
    assert progress.line() == (
        "3 s, leg_left_middle since 2 s, adaptation refused, safety latched (tip_over: 1.2 rad)"
    )


def test_a_method_that_does_not_adapt() -> None:
    progress = Progress("hexapod", 5.0)
    walk(progress, 10)
    progress.take("adaptation", adaptation(False, DOES_NOT_ADAPT))
    assert progress.line() == "1 s of 5, no adaptation"


def test_nothing_is_told_before_the_robot_moves() -> None:
    progress = Progress("hexapod", 5.0)
    progress.take("/diagnostics", safety("HOLD"))
    command = command_message(SPEC, np.zeros(2), 0)
    progress.take("command/safe", serialize_message(command))
    assert progress.line() == ""


def test_a_path_that_nobody_can_follow_ends_nothing() -> None:
    progress = Progress("hexapod", 5.0)
    progress.take("reference", STRAIGHT)
    progress.take("reference", serialize_message(path_message([(0.0, float("nan"))], 0)))
    walk(progress, 20)
    assert progress.line() == "2 s of 5"


def test_nothing_is_told_when_the_run_is_over() -> None:
    progress = Progress("hexapod", 5.0)
    walk(progress, 50)
    assert progress.line() == ""
