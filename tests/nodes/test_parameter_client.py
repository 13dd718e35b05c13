"""Parameters of another node, by its services."""

from __future__ import annotations

import time
from typing import Any

import pytest

pytest.importorskip("rclpy")
from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.node import Node

from ros_mbmrl.errors import RunError, UserError
from ros_mbmrl.nodes.parameter_client import ParameterClient


@pytest.fixture
def node(context: Any, spin: Any) -> Node:
    made = Node("holder", namespace="/robot", context=context)
    real = FloatingPointRange(from_value=0.0, to_value=2.0)
    told = ParameterDescriptor(description="how fast", floating_point_range=[real])
    made.declare_parameter("speed", 0.5, told)
    whole = ParameterDescriptor(integer_range=[IntegerRange(from_value=1, to_value=9)])
    made.declare_parameter("count", 3, whole)
    made.declare_parameter("seed", 7, ParameterDescriptor(read_only=True))
    made.declare_parameter("box", [0.0, 1.0])
    spin(made)
    return made


def test_parameters_are_listed_and_set(node: Node) -> None:
    with ParameterClient("/robot/holder") as client:
        assert {"box", "count", "seed", "speed"} <= set(client.names())
        client.set("speed", 1.5)
        client.set("box", [0.25, 0.5])
        rows = client.rows(["speed", "count", "seed", "box"])
    assert [row["value"] for row in rows] == [1.5, 3, 7, [0.25, 0.5]]
    assert [row["range"] for row in rows] == ["0 to 2", "1 to 9", "", ""]
    assert [row["read_only"] for row in rows] == [False, False, True, False]
    assert rows[0]["description"] == "how fast"
    assert node.get_parameter("speed").value == 1.5


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("speed", 3.0, "/robot/holder refuses: Parameter speed out of range"),
        ("seed", 1, "/robot/holder refuses: Trying to set a read-only parameter: seed"),
        ("colour", 1, "unknown parameter of /robot/holder 'colour': expected one of box, count"),
    ],
)
def test_a_refusal_has_the_nodes_reason(node: Node, name: str, value: Any, reason: str) -> None:
    with ParameterClient("/robot/holder") as client, pytest.raises(UserError) as error:
        client.set(name, value)
    assert str(error.value).startswith(reason)


def test_a_node_that_is_not_there_is_named_with_those_that_are(node: Node) -> None:
    end, said = time.monotonic() + 30.0, "no node is running"
    while "no node is running" in said and time.monotonic() < end:  # not discovered yet
        with pytest.raises(UserError) as error:
            ParameterClient("/robot/other", patience=0.5).__enter__()
        said = str(error.value)
    assert said == "no node '/robot/other': expected one of /robot/holder"


def test_a_node_that_does_not_answer_is_a_failed_run(context: Any) -> None:
    silent = Node("silent", context=context)  # nobody spins it
    with ParameterClient("/silent", patience=2.0) as client, pytest.raises(RunError) as error:
        client.names()
    assert str(error.value) == "/silent does not answer"
    silent.destroy_node()
