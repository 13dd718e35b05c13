"""Which commands the driver's loop is given, and when they came."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from ros_mbmrl.nodes.inbox import Inbox


class Clock:
    now = 10.0

    def __call__(self) -> float:
        return self.now


def actions(inbox: Inbox) -> list[list[float]]:
    return [arrival.action.tolist() for arrival in inbox.close()]


def test_commands_for_other_intervals_are_turned_away() -> None:
    inbox = Inbox(Clock())
    inbox.deliver(1, np.zeros(2))
    inbox.open(2)
    inbox.deliver(1, np.zeros(2))
    inbox.deliver(2, np.ones(2))
    assert inbox.wait(0.0)
    assert actions(inbox) == [[1.0, 1.0]]
    inbox.deliver(2, np.ones(2))
    assert inbox.rejected == 3


def test_offsets_count_from_when_the_interval_was_opened() -> None:
    clock = Clock()
    inbox = Inbox(clock)
    inbox.open(1)
    for _ in range(2):
        clock.now += 0.03
        inbox.deliver(1, np.ones(2))
    assert [arrival.offset for arrival in inbox.close()] == pytest.approx([0.03, 0.06])


def test_what_came_for_the_interval_before_is_forgotten() -> None:
    inbox = Inbox(Clock())
    inbox.open(1)
    inbox.deliver(1, np.ones(2))
    inbox.open(2)
    assert not inbox.wait(0.0) and inbox.close() == []


def test_an_override_answers_whatever_is_asked_but_not_between_intervals() -> None:
    inbox = Inbox(Clock())
    inbox.override(np.zeros(2))
    inbox.open(1)
    inbox.deliver(1, np.ones(2))
    inbox.override(np.zeros(2))
    assert actions(inbox) == [[1.0, 1.0], [0.0, 0.0]]
    inbox.override(np.zeros(2))
    inbox.open(2)
    assert inbox.close() == [] and inbox.rejected == 0


def test_a_real_robots_loop_asks_for_more_than_it_has_sent() -> None:
    inbox = Inbox(Clock())
    inbox.open(1)
    for value in (1.0, 2.0):
        inbox.deliver(1, np.full(2, value))
    assert inbox.wait(0.0, beyond=1) and not inbox.wait(0.0, beyond=2)
    count, newest = inbox.newest()
    assert count == 2 and newest.action.tolist() == [2.0, 2.0]


def test_who_waits_is_woken_by_the_command() -> None:
    inbox = Inbox(Clock())
    inbox.open(1)
    thread = threading.Thread(target=lambda: inbox.deliver(1, np.ones(2)))
    thread.start()
    assert inbox.wait(10.0)
    thread.join()


def test_commands_that_cannot_be_read_are_counted() -> None:
    inbox = Inbox(Clock())
    inbox.open(1)
    inbox.reject()
    assert inbox.rejected == 1 and inbox.close() == []
