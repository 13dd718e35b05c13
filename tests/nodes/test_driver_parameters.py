"""Parameters of `driver`: what reaches its plant, and what is refused."""

from __future__ import annotations

import time
from typing import Any

import pytest

pytest.importorskip("rclpy")
from rclpy.node import Node

from ros_mbmrl.errors import UserError
from ros_mbmrl.nodes.driver_parameters import DriverParameters, named_plant, plant_options
from ros_mbmrl.nodes.robot_topics import RobotTopics


def test_the_plants_settings_reach_it_and_its_topics_are_the_nodes(context: Any) -> None:
    node = Node("driver", context=context, namespace="/arm")
    given = DriverParameters(terrain="turf", seed=7, delay=0.02, hardware={"legs": 6})
    options = plant_options(given, node)
    assert (options.terrain, options.seed, options.delay) == ("turf", 7, 0.02)
    assert options.hardware == {"legs": 6} and options.noise == 1.0
    assert isinstance(options.bus, RobotTopics) and options.bus.name == "/arm/driver"
    assert options.node is node and options.poses is None
    told = plant_options(DriverParameters(mocap="/mocap/pose"), node)
    assert told.poses is not None and told.poses.latest() is None
    node.destroy_node()


def test_a_clock_that_is_set_leaves_the_drivers_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    steady, set_by = [100.0], [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: steady[0])
    monkeypatch.setattr(time, "time", lambda: steady[0] + 1.7e9 + set_by[0])
    parameters = DriverParameters(plant="serial", port="/dev/x")
    clock = plant_options(parameters, None).clock
    set_by[0], steady[0] = 0.5, 160.0
    assert clock() == 1.7e9 + 160.0


def test_a_plant_that_is_none_of_the_robots_is_refused() -> None:
    with pytest.raises(UserError, match="^unknown plant .*: expected one of .*"):
        named_plant(DriverParameters(plant="rosbridge"), None)
    with pytest.raises(UserError, match="^unknown robot 'cow'"):
        named_plant(DriverParameters(robot="cow"), None)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"answer_timeout": 0.0}, "^answer_timeout: expected above 0 s, got 0.0$"),
        ({"delay": -0.1}, "^delay: expected 0 s or more, got -0.1$"),
    ],
)
def test_a_wrong_value_is_named(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DriverParameters(**given)
