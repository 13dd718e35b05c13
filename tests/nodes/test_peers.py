"""Commands that were heard against those sent; stamps against the steady clock."""

from __future__ import annotations

import math
import threading
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("rclpy")

from ros_mbmrl.errors import RunError
from ros_mbmrl.nodes.messages import command_message
from ros_mbmrl.nodes.peers import (
    REMEMBERED,
    SETTLED,
    Echo,
    PeerWatch,
    await_listeners,
    missing_listeners,
)
from ros_mbmrl.robots import make_robot

SPEC = make_robot("hexapod").spec


def command(stamp: int, *values: float) -> Any:
    return command_message(SPEC, np.array(values) if values else None, stamp)


def echo() -> Echo:
    made = Echo()
    for stamp in (10, 20, 30):
        made.sent(command(stamp, float(stamp), 1.0))
    return made


def renamed() -> Any:
    made = command(30, 30.0, 1.0)
    made.name = ["left", "right"]
    return made


@pytest.mark.parametrize(
    ("heard", "foreign"),
    [
        (command(30, 30.0, 1.0), False),
        (command(20, 20.0, 1.0), False),  # ours, heard late
        (command(30, 20.0, 1.0), True),  # ours of the step before under a new stamp: frozen
        (command(30, 30.0, 1.1), True),
        (command(30, 0.0, 0.0), True),
        (command(30, math.nan, math.nan), True),
        (command(30), True),
        (renamed(), True),
        (command(25, 20.0, 1.0), True),  # for a state that we did not answer
        (command(31, 30.0, 1.0), True),  # for one that we have not answered yet
        (command(9, 7.0, 7.0), False),  # from before all that we remember
    ],
)
def test_what_was_heard_is_compared_with_what_was_sent(heard: Any, foreign: bool) -> None:
    made = echo()
    assert made.heard(heard) is foreign
    assert made.foreign == foreign


def test_several_commands_for_one_state_are_ours() -> None:
    made = echo()
    made.sent(command(30, 0.0, 0.0))
    assert not made.heard(command(30, 0.0, 0.0)) and not made.heard(command(30, 30.0, 1.0))


def test_a_planner_that_found_no_plan_says_so_without_names() -> None:
    made = Echo()
    made.sent(command(1))
    assert not made.heard(command(1)) and made.heard(command(1, 0.0, 0.0))


def test_nothing_is_judged_before_the_first_command() -> None:
    assert not Echo().heard(command(1, 7.0, 7.0))


def test_only_the_newest_states_are_remembered() -> None:
    made = Echo()
    for stamp in range(REMEMBERED + 1):
        for _ in range(3):
            made.sent(command(stamp, 1.0, 1.0))
    assert len(made._sent) == REMEMBERED
    assert {len(commands) for commands in made._sent.values()} == {1}
    assert not made.heard(command(0, 7.0, 7.0)) and made.heard(command(1, 7.0, 7.0))


def test_commands_are_ours_after_the_clock_began_anew() -> None:
    made = echo()
    made.sent(command(1, 5.0, 5.0))
    assert not made.heard(command(1, 5.0, 5.0)) and made.heard(command(2, 5.0, 5.0))


class Publishers:
    """A node that knows how many publish."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}

    def get_namespace(self) -> str:
        return "/hexapod"

    def count_publishers(self, name: str) -> int:
        return self.counts.get(name, 1)


def test_second_publishers_are_named() -> None:
    node: Any = Publishers()
    watch = PeerWatch(node)
    assert watch.complaint(0.0) == ""
    node.counts["/hexapod/command/safe"] = 2
    watch.look()
    assert watch.complaint(0.0) == "command/safe has 2 publishers"


def test_what_was_found_is_new_once_and_again_after_a_while() -> None:
    watch = PeerWatch(Publishers())  # type: ignore[arg-type]
    assert [watch.note("somebody", now) for now in (10.0, 10.4, 10.8, 11.4)] == [
        *(True, False, False, True)
    ]
    assert watch.complaint(11.5) == "somebody"


def test_stamps_that_jump_count_for_a_while() -> None:
    watch = PeerWatch(Publishers())  # type: ignore[arg-type]
    for stamp, now in ((5.0, 100.0), (5.1, 100.1), (15.2, 100.2)):
        watch.stamped(stamp, now)
    assert watch.complaint(100.3) == "stamps of the state jumped ahead by 10.0 s"
    watch.stamped(15.3, 100.3)
    assert watch.complaint(100.8) == ""


def test_stamps_that_fall_back_are_another_clock() -> None:
    watch = PeerWatch(Publishers())  # type: ignore[arg-type]
    for stamp, now in ((5.0, 100.0), (5.1, 100.1), (3.2, 100.2)):
        watch.stamped(stamp, now)
    assert watch.complaint(100.3) == "stamps of the state fell back by 1.9 s"


@pytest.mark.parametrize(
    "stamps",
    [
        # A twin whose process stood still, or whose driver was deactivated: it goes on from there.
        [(5.0, 100.0), (5.1, 100.1), (5.2, 103.2), (5.3, 103.3)],
        # A real robot's: one state was held up, the next one came at once.
        [(5.0, 100.0), (5.1, 101.0), (6.0, 101.0), (6.1, 101.1)],
        # Our own executor stood still: what had queued comes in a burst, its oldest part lost.
        [(5.0, 100.0), (8.0, 110.0), (8.1, 110.0), (8.2, 110.0), (15.0, 115.0)],
    ],
)
def test_a_stall_is_no_second_publisher(stamps: list[tuple[float, float]]) -> None:
    watch = PeerWatch(Publishers())  # type: ignore[arg-type]
    for stamp, now in stamps:
        watch.stamped(stamp, now)
        assert watch.complaint(now) == ""


def test_a_second_publisher_of_the_state_is_named() -> None:
    node: Any = Publishers()
    watch = PeerWatch(node, ("odom",))
    node.counts["/hexapod/odom"] = 2
    watch.look()
    assert watch.complaint(0.0) == "odom has 2 publishers"


@pytest.mark.parametrize(
    ("listeners", "connected", "missing"),
    [
        (["safety", "recorder"], 2, []),
        (["safety"], 1, ["recorder"]),
        (["safety", "recorder"], 1, ["recorder", "safety"]),  # found, not connected: which is it
        ([], 0, ["recorder", "safety"]),
        (["safety", "recorder", "display"], 3, []),
    ],
)
def test_who_would_miss_a_message(listeners: list[str], connected: int, missing: list[str]) -> None:
    node: Any = SimpleNamespace(
        get_subscriptions_info_by_topic=lambda topic: [
            SimpleNamespace(node_name=name) for name in listeners
        ]
    )
    publisher: Any = SimpleNamespace(topic_name="/t", get_subscription_count=lambda: connected)
    assert missing_listeners(node, publisher, ["safety", "recorder"]) == missing


class Topics:
    """Two topics: which nodes listen, and to how many of them each is connected, look by look."""

    def __init__(self, known: dict[str, list[list[str]]], connected: dict[str, list[int]]) -> None:
        self.known, self.connected, self.looks = known, connected, 0

    def get_name(self) -> str:
        return "driver"

    def get_subscriptions_info_by_topic(self, topic: str) -> list[Any]:
        self.looks += topic == next(iter(self.known))
        names = self.known[topic][min(self.looks, len(self.known[topic])) - 1]
        return [SimpleNamespace(node_name=name) for name in names]

    def publishers(self) -> Any:
        def count(name: str) -> int:
            each = self.connected[name]
            return each[min(self.looks, len(each)) - 1]

        return [
            SimpleNamespace(topic_name=name, get_subscription_count=lambda name=name: count(name))
            for name in self.known
        ]


def awaited(
    topics: Any, *names: str, clock: Any = lambda: 0.0, everywhere: tuple[str, ...] = ()
) -> int:
    """Return after how many looks the wait is over."""
    never = threading.Event()
    await_listeners(topics, topics.publishers(), names, never, clock, 1.0, everywhere)
    return int(topics.looks)


def test_each_topic_is_waited_for_until_no_more_listeners_become_known() -> None:
    """One topic is connected before the next one: the first observation would miss its parts."""
    one = ["recorder"]
    connecting = Topics({"/a": [one], "/b": [one]}, {"/a": [1], "/b": [0, 0, 1]})
    assert awaited(connecting, "recorder") == 2 + SETTLED
    telling = Topics({"/a": [one], "/b": [[], [], [], one]}, {"/a": [1], "/b": [0, 0, 0, 1]})
    assert awaited(telling, "recorder") == 4 + SETTLED


def test_who_listens_everywhere_is_waited_for_however_long_it_takes_between_topics() -> None:
    late = 3 * SETTLED
    known = {"/a": [["recorder", "own"]], "/b": [*[[]] * late, ["recorder"]]}
    slow = Topics(known, {"/a": [2], "/b": [*[0] * late, 1]})
    assert awaited(slow, "recorder", "own", everywhere=("recorder", "absent")) == late + 1 + SETTLED


def test_a_node_may_listen_to_some_topics_only() -> None:
    both = Topics({"/a": [["recorder", "own"]], "/b": [["recorder"]]}, {"/a": [2], "/b": [1]})
    assert awaited(both, "recorder", "own") == 1 + SETTLED
    assert awaited(both) == 1 + SETTLED  # nobody is waited for


def test_who_does_not_come_is_named() -> None:
    times = iter(range(100))
    alone = Topics({"/a": [["recorder"]], "/b": [[]]}, {"/a": [1], "/b": [0]})
    with pytest.raises(RunError, match="driver: not there in 1 s: safety$"):
        awaited(alone, "recorder", "safety", clock=lambda: float(next(times)))
