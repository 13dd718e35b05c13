"""The disturber by itself: what passes, what is broken, and when."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("rclpy")
from rclpy.parameter import Parameter
from std_msgs.msg import String

from ros_mbmrl.faults.disturb import LATE
from ros_mbmrl.nodes.disturber import DisturberNode
from ros_mbmrl.nodes.messages import command_message, from_stamp
from ros_mbmrl.robots.hexapod import SPEC

SAFE, PROPOSED = "command/safe", "command/proposed"


class Bench:
    """A disturber of both commands and of `odom`; `sent` by topic, `later` what waits, and how."""

    def __init__(self, context: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.later: list[tuple[float, Callable[[], None]]] = []
        monkeypatch.setattr("ros_mbmrl.nodes.disturber.every", self._every)
        topics = Parameter("topics", value=f"odom,{PROPOSED},{SAFE}")
        self.node = DisturberNode(context=context, parameter_overrides=[topics])
        self.goes = {name: out.topic_name for name, out in self.node._out.items()}
        self.sent: dict[str, list[Any]] = {name: [] for name in self.goes}
        self.node._out = {
            name: SimpleNamespace(publish=sent.append)  # type: ignore[misc]
            for name, sent in self.sent.items()
        }
        monkeypatch.setattr(self.node, "destroy_timer", lambda timer: None)

    def _every(self, node: Any, delay: float, callback: Callable[[], None]) -> Any:
        self.later.append((delay, callback))
        return SimpleNamespace(cancel=lambda: None)

    def told(self, text: str) -> None:
        self.node._on_control(String(data=text))

    def command(self, value: float, stamp: int, name: str = SAFE) -> Any:
        message = command_message(SPEC, np.full(2, value), stamp)
        self.node._pass_on(name, message)
        return message


@pytest.fixture
def bench(context: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    made = Bench(context, monkeypatch)
    yield made
    made.node.destroy_node()


def test_states_are_caught_behind_their_sender_and_commands_before_their_receiver(
    bench: Bench,
) -> None:
    heard = {each.topic_name for each in bench.node.subscriptions}
    assert {"/odom/raw", f"/{PROPOSED}", f"/{SAFE}", "/faults/set"} <= heard
    assert bench.goes == {
        "odom": "/odom",
        PROPOSED: f"/{PROPOSED}/disturbed",
        SAFE: f"/{SAFE}/disturbed",
    }


def test_what_is_not_disturbed_passes_as_it_is(bench: Bench) -> None:
    message = bench.command(1.0, 1)
    assert bench.sent[SAFE] == [message] and bench.sent[SAFE][0] is message


def test_only_the_topics_that_are_named_are_disturbed(bench: Bench) -> None:
    bench.told(f"silent {SAFE},odom")
    bench.command(1.0, 1)
    bench.command(1.0, 1, PROPOSED)
    assert bench.sent[SAFE] == [] and len(bench.sent[PROPOSED]) == 1
    bench.told(" ")
    bench.command(2.0, 2)
    assert len(bench.sent[SAFE]) == 1


def test_a_frozen_topic_repeats_the_last_that_passed_under_new_stamps(bench: Bench) -> None:
    bench.command(1.0, 1)
    bench.told(f"frozen {SAFE}")
    for stamp in (2, 3):
        bench.command(5.0, stamp)
    assert [list(each.velocity) for each in bench.sent[SAFE]] == [[1.0, 1.0]] * 3
    assert [from_stamp(each.header.stamp) for each in bench.sent[SAFE]] == [1, 2, 3]


def test_what_is_delayed_comes_later_even_if_the_fault_is_over_by_then(bench: Bench) -> None:
    bench.told(f"delayed {SAFE}")
    message = bench.command(1.0, 1)
    bench.told(" ")
    assert bench.sent[SAFE] == []
    ((delay, callback),) = bench.later
    assert delay == LATE
    callback()
    assert bench.sent[SAFE] == [message]
