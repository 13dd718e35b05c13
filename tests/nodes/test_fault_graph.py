"""The graph that the campaign runs on: where the disturber sits, and where not."""

from __future__ import annotations

import pytest

pytest.importorskip("rclpy")
from ros_mbmrl import bringup
from ros_mbmrl.nodes.fault_graph import disturbed, own_time

BEHIND, BEFORE = "/raw", "/disturbed"


def test_the_disturber_is_between_all_that_carry_the_loop() -> None:
    specs = {
        spec.name: spec for spec in disturbed(bringup.graph("adapt", ["method:=mb"]), "hexapod")
    }
    disturber = specs["disturber"]
    topics = set(str(disturber.parameters["topics"]).split(","))
    assert {"odom", "sensor_time", "adaptation", "command/safe", "command/proposed"} <= topics
    assert specs["driver"].remappings["command/safe"] == f"command/safe{BEFORE}"
    assert specs["driver"].remappings["odom"] == f"odom{BEHIND}"
    assert dict(specs["safety"].remappings) == {"command/proposed": f"command/proposed{BEFORE}"}
    for name in ("driver", "safety", "adaptive"):
        assert specs[name].parameters["await_nodes"] == "disturber"


def test_what_was_heard_is_told_without_it() -> None:
    """Who compares must be told what the receiver heard, and not what a fault made of that."""
    specs = disturbed(bringup.graph("adapt", ["method:=mb"]), "hexapod")
    remapped = {topic for spec in specs for topic in spec.remappings or {}}
    assert not any(topic.endswith("heard") for topic in remapped)
    assert "heard" not in str(specs[0].parameters["topics"])


def test_what_a_machine_takes_of_a_robots_time_does_not_count_as_braking() -> None:
    changes, pauses = [(9.0, True), (11.1, False)], [(8.0, 8.5), (9.5, 10.2), (10.3, 10.9)]
    (_, _), (stopped, off) = own_time(changes, pauses, 10.0)
    assert not off
    assert stopped == pytest.approx(11.1 - 0.2 - 0.6)
    assert own_time(changes, pauses, 10.0)[0] == (9.0, True)
    assert own_time(changes, [], 10.0) == changes
