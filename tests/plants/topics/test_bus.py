"""The bus: the middlewares have the methods and parameters that a plant calls."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from ros_mbmrl.plants.topics.bus import Bus, End, Outlet
from tests.plants.topics.conftest import MemoryBus, MemoryOutlet


def parameters(protocol: type) -> dict[str, list[tuple[str, Any]]]:
    """Names and defaults of each method's parameters."""
    return {name: signature(getattr(protocol, name)) for name in methods(protocol)}


def methods(protocol: type) -> list[str]:
    own = vars(protocol).items()
    return [name for name, each in own if inspect.isfunction(each) and name[0] != "_"]


def signature(method: Any) -> list[tuple[str, Any]]:
    return [(each.name, each.default) for each in inspect.signature(method).parameters.values()]


def same(protocol: type, made: type) -> bool:
    wanted = parameters(protocol)
    return bool(wanted) and wanted == {name: signature(getattr(made, name)) for name in wanted}


def test_the_bus_in_memory_is_one() -> None:
    assert same(Bus, MemoryBus) and same(Outlet, MemoryOutlet)
    assert MemoryBus.name == "/robot/driver"


def test_the_bus_of_ros_is_one() -> None:
    pytest.importorskip("rclpy")
    from ros_mbmrl.nodes.robot_topics import RobotTopics, RosOutlet

    assert same(Bus, RobotTopics) and same(Outlet, RosOutlet)
    assert isinstance(RobotTopics.name, property)


def test_an_end_is_reliable_unless_it_says_otherwise() -> None:
    end = End("/base", "nav_msgs/msg/Odometry")
    assert end == End("/base", "nav_msgs/msg/Odometry", reliable=True)
    assert end != End("/base", "nav_msgs/msg/Odometry", reliable=False)
