"""Links: who hears what, in which order, and when ROS is told."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import pytest

pytest.importorskip("rclpy")
from ros_mbmrl.nodes.links import GONE, PROPOSED, WHOLE, LinkedPublisher, Links
from ros_mbmrl.robots.measurement import Measurement
from ros_mbmrl.topics import TOPICS

Until = Callable[[Callable[[], bool]], None]


class Ros:
    """A publisher that keeps what ROS is told, with the names of what was handed over before."""

    topic_name = "/robot/x"

    def __init__(self, name: str, told: list[tuple[str, Any]]) -> None:
        self._name, self._told = name, told

    def publish(self, message: Any) -> None:
        self._told.append((self._name, message))

    def get_subscription_count(self) -> int:
        return 3

    def wait_for_all_acked(self, timeout: Any) -> bool:
        return True


@pytest.fixture
def links() -> Iterator[Links]:
    made = Links(WHOLE)
    yield made
    made.close()


def test_a_message_is_handed_over_in_the_thread_that_publishes(links: Links) -> None:
    heard: list[tuple[int, str]] = []
    name = "adaptation"
    links.listen(name, lambda message: heard.append((threading.get_ident(), message)))
    links.listen(name, lambda message: heard.append((threading.get_ident(), "again")))
    LinkedPublisher(name, Ros(name, []), links).publish("here")
    assert heard == [(threading.get_ident(), "here"), (threading.get_ident(), "again")]


def test_ros_is_told_all_in_order_once_the_command_has_gone(links: Links, until: Until) -> None:
    told: list[tuple[str, Any]] = []
    safe, odom = LinkedPublisher(GONE, Ros(GONE, told), links), Ros("odom", told)
    seen: list[Measurement] = []
    links.observe(seen.append)
    for step in range(20):
        links.observed(Measurement(step, np.zeros(1)), partial(odom.publish, step))
        safe.publish(step)
    assert [each.time for each in seen] == list(range(20))
    until(lambda: len(told) == 40)
    assert told == [(name, step) for step in range(20) for name in ("odom", GONE)]


def test_while_the_next_measurement_is_answered_ros_waits() -> None:
    links, told = Links(WHOLE, clock=lambda: 0.0), list[tuple[str, Any]]()
    links.close()
    links._closed = False  # its own thread has ended: the one below tells
    safe = LinkedPublisher(GONE, Ros(GONE, told), links)
    links.observed(Measurement(0, np.zeros(1)), partial(Ros("odom", told).publish, 0))
    telling = threading.Thread(target=links._tell, daemon=True)
    telling.start()
    telling.join(0.2)  # it waits for the command, as long as the clock stands still
    assert telling.is_alive() and not told
    safe.publish(0)
    telling.join()
    assert told == [("odom", 0), (GONE, 0)]


def test_ros_is_told_though_no_command_goes(links: Links, until: Until) -> None:
    told: list[tuple[str, Any]] = []
    LinkedPublisher("adaptation", Ros("adaptation", told), links).publish("alone")
    until(lambda: told == [("adaptation", "alone")])


def test_closing_tells_what_is_left_and_may_be_done_again() -> None:
    links, told = Links(PROPOSED), list[tuple[str, Any]]()
    publisher = LinkedPublisher("adaptation", Ros("adaptation", told), links)
    for step in range(100):
        publisher.publish(step)
    links.close()
    links.close()
    assert [step for _, step in told] == list(range(100))


def test_who_listens_late_still_hears_the_last_of_a_latched_topic(links: Links) -> None:
    state = LinkedPublisher("safety/state", Ros("safety/state", []), links)
    other = LinkedPublisher("adaptation", Ros("adaptation", []), links)
    for publisher in (state, other):
        publisher.publish("first")
        publisher.publish("second")
    late: list[str] = []
    links.listen("safety/state", late.append)
    links.listen("adaptation", late.append)
    assert late == ["second"]


def test_a_callback_may_publish(links: Links) -> None:
    heard: list[str] = []
    echo = LinkedPublisher("command/heard", Ros("command/heard", []), links)
    links.listen(GONE, echo.publish)
    links.listen("command/heard", heard.append)
    LinkedPublisher(GONE, Ros(GONE, []), links).publish("command")
    assert heard == ["command"]


def test_the_topics_are_those_of_the_graph() -> None:
    assert set(PROPOSED) <= set(WHOLE) <= {topic.name for topic in TOPICS}


def test_the_rest_of_a_publisher_is_that_of_ros(links: Links) -> None:
    publisher = LinkedPublisher("adaptation", Ros("adaptation", []), links)
    assert publisher.topic_name == "/robot/x"
    assert publisher.get_subscription_count() == 3
    assert publisher.wait_for_all_acked(None)  # type: ignore[arg-type]
