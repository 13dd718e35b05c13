"""Wirings: complete, of known types, and apart from the graph's own topics."""

from __future__ import annotations

from dataclasses import replace

import pytest

pytest.importorskip("geometry_msgs")

from ros_mbmrl.errors import UserError  # noqa: E402
from ros_mbmrl.plants.topics.wiring import graph_topics, wiring_of  # noqa: E402
from ros_mbmrl.robots.described.description import Description  # noqa: E402
from ros_mbmrl.robots.described.robot import described_robot  # noqa: E402
from ros_mbmrl.robots.described.sources import Sink, Source, parse_field  # noqa: E402


def test_a_file_has_its_wiring(base: Description) -> None:
    wiring = wiring_of(base)
    wiring.check(described_robot(base).spec)
    assert list(wiring.heard) == ["odom"]
    assert str(wiring.sources["speed"].field) == "twist.twist.linear.x"


def test_what_has_no_place_is_refused(base: Description) -> None:
    spec, wiring = described_robot(base).spec, wiring_of(base)
    fewer = {name: each for name, each in wiring.sources.items() if name != "speed"}
    with pytest.raises(UserError, match="measured: 'speed' has no place on a topic"):
        replace(wiring, sources=fewer).check(spec)
    with pytest.raises(UserError, match="commands: 'speed' has no place on a topic"):
        replace(wiring, sinks={}).check(spec)


def test_fields_that_do_not_exist_are_refused(base: Description) -> None:
    spec, wiring = described_robot(base).spec, wiring_of(base)
    sources = {**wiring.sources, "speed": Source("odom", parse_field("twist.linear.x"))}
    with pytest.raises(UserError, match="'speed': 'twist.linear.x': .* has no 'linear'"):
        replace(wiring, sources=sources).check(spec)
    sinks = {**wiring.sinks, "speed": Sink(parse_field("ahead"))}
    with pytest.raises(UserError, match="'speed': 'ahead': geometry_msgs/msg/Twist has no 'ahead'"):
        replace(wiring, sinks=sinks).check(spec)


def test_the_graphs_own_topics_leave_transforms_to_everybody() -> None:
    assert {"odom", "command/safe", "/clock"} <= set(graph_topics())
    assert "/tf" not in graph_topics()
