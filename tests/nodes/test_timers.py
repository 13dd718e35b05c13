"""No timer of ours hangs on ROS time, which `use_sim_time` can stop."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("rclpy")
import rclpy
from rclpy.clock_type import ClockType
from rclpy.parameter import Parameter

from ros_mbmrl.nodes.disturber import DisturberNode
from ros_mbmrl.nodes.ping_pong import PingNode, PingPongParameters
from ros_mbmrl.nodes.process import Ending, make_executor
from ros_mbmrl.nodes.recorder import RecorderNode
from ros_mbmrl.nodes.safety import SafetyNode
from ros_mbmrl.nodes.teleop import TeleopNode
from ros_mbmrl.nodes.timers import every

Until = Callable[[Callable[[], bool]], None]
ROOT = Path(__file__).resolve().parents[2]


def sim_time(**others: Any) -> list[Parameter[Any]]:
    return [Parameter(k, value=v) for k, v in {"use_sim_time": True, **others}.items()]


def test_it_ticks_though_ros_time_stands_still(context: Any, spin: Any, until: Until) -> None:
    node = rclpy.create_node("sleeper", context=context, parameter_overrides=sim_time())
    ticks: list[int] = []
    every(node, 0.01, lambda: ticks.append(node.get_clock().now().nanoseconds))
    spin(node)
    until(lambda: len(ticks) >= 5)
    assert set(ticks) == {0}


def test_it_ticks_in_the_executor_of_the_nodes(until: Until) -> None:
    rclpy.init(args=[])  # that executor knows the default context only
    try:
        node = rclpy.create_node("sleeper", parameter_overrides=sim_time())
        ticks: list[int] = []
        every(node, 0.01, lambda: ticks.append(1))
        executor = make_executor()
        executor.add_node(node)
        until(lambda: executor.spin_once(timeout_sec=0.05) or len(ticks) >= 5)
        executor.shutdown()
        node.destroy_node()
    finally:
        rclpy.shutdown()


@pytest.mark.parametrize(
    "make",
    [
        lambda **o: SafetyNode(parameter_overrides=sim_time(), **o),
        lambda **o: TeleopNode(Ending(), parameter_overrides=sim_time(), **o),
        lambda **o: PingNode(PingPongParameters(), parameter_overrides=sim_time(), **o),
    ],
)
def test_every_timer_of_the_nodes_is_steady(make: Callable[..., Any], context: Any) -> None:
    node = make(context=context)
    timers = list(node.timers)
    assert timers
    assert {timer.clock.clock_type for timer in timers} == {ClockType.STEADY_TIME}
    node.destroy_node()


def test_the_recorders_timer_is_steady(context: Any, tmp_path: Path) -> None:
    overrides = sim_time(path=str(tmp_path / "run.mcap"))
    node = RecorderNode(context=context, parameter_overrides=overrides)
    assert [timer.clock.clock_type for timer in node.timers] == [ClockType.STEADY_TIME]
    node.close()
    node.destroy_node()


def test_the_disturber_delays_by_steady_time(context: Any) -> None:
    overrides = sim_time(topics="odom")
    node = DisturberNode(context=context, parameter_overrides=overrides)
    node._later(1.0, "odom", None)
    assert [timer.clock.clock_type for timer in node.timers] == [ClockType.STEADY_TIME]
    node.destroy_node()


def test_nothing_else_in_the_nodes_asks_for_ros_time() -> None:
    found = []
    paths = [path for folder in ("ros_mbmrl", "examples") for path in (ROOT / folder).rglob("*.py")]
    for path in sorted(paths):
        if "your_robot" in path.parts:
            continue  # plays a robot of somebody else
        # The base of an example judges stamps by ROS time, so they are made of it.
        asks = r"\bcreate_(timer|rate)\(" + r"|\bget_clock\(" * ("examples" not in path.parts)
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if re.search(asks, line):
                found.append(f"{path.name}:{number}")
    assert [place for place in found if not place.startswith("timers.py:")] == []
