"""A node's parameters: every name known, every type right, and read once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

pytest.importorskip("rclpy")
from rclpy.node import Node
from rclpy.parameter import Parameter

from ros_mbmrl.errors import UserError
from ros_mbmrl.nodes.parameters import read_parameters


@dataclass(frozen=True)
class Settings:
    path: str
    speed: float = 0.25
    count: int = 3
    quick: bool = False
    planner: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.count < 0:
            raise ValueError(f"count: expected 0 or more, got {self.count}")


@dataclass(frozen=True)
class Others:
    colour: str = "red"


@pytest.fixture
def make(context: Any) -> Iterator[Any]:
    made: list[Node] = []

    def node(**given: Any) -> Node:
        overrides = [Parameter(name.replace("__", "."), value=v) for name, v in given.items()]
        made.append(
            Node(
                "reader",
                context=context,
                automatically_declare_parameters_from_overrides=True,
                parameter_overrides=overrides,
            )
        )
        return made[-1]

    yield node
    for each in made:
        each.destroy_node()


def test_what_is_given_counts_and_the_rest_is_as_declared(make: Any) -> None:
    node = make(path="x", speed=2, planner__horizon=5, planner__samples=7)
    assert read_parameters(node, Settings) == Settings(
        "x", 2.0, planner={"horizon": 5, "samples": 7}
    )
    assert node.get_parameter("count").value == 3  # to be seen by `ros2 param`


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, "reader: parameter 'path' must be given"),
        ({"path": "x", "size": 1}, "reader: unknown parameter 'size': expected one of count, path"),
        ({"path": 1}, "reader: parameter 'path': expected str, got 1"),
        ({"path": "x", "speed": "fast"}, "reader: parameter 'speed': expected float, got 'fast'"),
        ({"path": "x", "speed": True}, "reader: parameter 'speed': expected float, got True"),
        ({"path": "x", "count": 1.5}, "reader: parameter 'count': expected int, got 1.5"),
        ({"path": "x", "quick": 1}, "reader: parameter 'quick': expected bool, got 1"),
        ({"path": "x", "planner": 3}, "reader: parameter 'planner': expected a group of settings"),
        ({"path": "x", "count": -1}, "reader: count: expected 0 or more, got -1"),
    ],
)
def test_what_is_wrong_is_named(make: Any, given: dict[str, Any], expected: str) -> None:
    with pytest.raises(UserError) as error:
        read_parameters(make(**given), Settings)
    assert str(error.value).startswith(expected)


def test_names_that_other_nodes_of_the_process_read_are_known(make: Any) -> None:
    node = make(path="x", colour="blue")
    assert read_parameters(node, Settings, Others) == Settings("x")


def test_what_is_read_once_cannot_be_set(make: Any) -> None:
    node = make(path="x")
    read_parameters(node, Settings)
    refused, taken = (
        node.set_parameters([Parameter(name, value=value)])[0]
        for name, value in (("count", 4), ("use_sim_time", True))
    )
    assert not refused.successful
    assert refused.reason == "Trying to set a read-only parameter: count."
    for name in ("path", "speed", "count", "quick"):
        told = node.describe_parameter(name)
        assert told.read_only and told.description == "read when the node starts"
    assert taken.successful and node.get_parameter("count").value == 3
