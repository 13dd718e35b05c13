"""The controller node by itself: what it proposes, and what safety heard of that."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

pytest.importorskip("rclpy")
pytest.importorskip("torch")
from rclpy.parameter import Parameter

from ros_mbmrl.nodes.controller import ControllerNode
from ros_mbmrl.nodes.messages import ERROR, command_message, from_stamp
from ros_mbmrl.robots.hexapod import SPEC


@pytest.fixture
def node(context: Any, outbox: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setattr("ros_mbmrl.nodes.controller.advertise", outbox.advertise)
    made = ControllerNode(context=context, namespace="/hexapod")
    yield made
    made.close()
    made.destroy_node()


def test_a_proposal_that_safety_heard_as_it_was_is_nothing(node: Any, outbox: Any) -> None:
    node.propose(7, np.array([1.0, 2.0]))
    node.propose(8, None)
    for proposal in outbox.sent["command/proposed"]:
        node._on_heard(proposal)
    assert outbox.sent["/diagnostics"] == []


@pytest.mark.parametrize("values", [(1.0, 2.5), ()])
def test_one_that_is_not_ours_is_told(node: Any, outbox: Any, values: tuple[float, ...]) -> None:
    node.propose(7, np.array([1.0, 2.0]))
    node._on_heard(command_message(SPEC, np.array(values) if values else None, 7))
    (message,) = outbox.sent["/diagnostics"]
    (line,) = message.status
    assert from_stamp(message.header.stamp) == 7
    assert (line.name, line.hardware_id, line.level) == ("controller: echo", "hexapod", ERROR)
    assert {pair.key: pair.value for pair in line.values} == {"foreign": "1"}


@pytest.mark.parametrize("lockstep", [False, True])
def test_in_lockstep_nobody_asks_what_was_heard(context: Any, lockstep: bool) -> None:
    overrides = [Parameter("lockstep", value=lockstep)]
    node = ControllerNode(context=context, parameter_overrides=overrides)
    heard = {each.topic_name for each in node.subscriptions}
    assert ("/command/proposed/heard" in heard) is not lockstep
    node.destroy_node()
