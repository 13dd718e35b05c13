"""Round trips, measured on a clock that the test moves."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("rclpy")
from ros_mbmrl.nodes.messages import command_message
from ros_mbmrl.nodes.ping_pong import BACK, THERE, PingNode, PingPongParameters, PongNode
from ros_mbmrl.robots.hexapod import SPEC


def test_each_command_that_is_back_before_the_next_is_a_round_trip(
    context: Any, tmp_path: Path
) -> None:
    now, path = [5.0], tmp_path / "trips.json"
    ping = PingNode(PingPongParameters(path=str(path)), lambda: now[0], context=context)
    sent: list[Any] = []
    fake: Any = SimpleNamespace(publish=sent.append)
    ping._publisher = fake
    for back_after in (0.004, 0.002):
        ping._send()
        now[0] += back_after
        ping._on_back(sent[-1])
        ping._on_back(sent[-1])  # a second time it is none
    ping._send()
    ping._send()
    ping._on_back(sent[-2])  # later than a period: the next one is on its way
    ping._on_back(command_message(SPEC, None, 99))
    ping.close()
    assert json.loads(path.read_text()) == pytest.approx([0.004, 0.002])
    assert list(tmp_path.iterdir()) == [path]
    ping.destroy_node()


def test_the_other_end_sends_back_what_comes(context: Any) -> None:
    pong = PongNode(context=context)
    (publisher,) = (each for each in pong.publishers if each.topic_name == f"/{BACK}")
    (subscription,) = (each for each in pong.subscriptions if each.topic_name == f"/{THERE}")
    assert subscription.callback == publisher.publish
    pong.destroy_node()
