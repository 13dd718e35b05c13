"""What goes from the executor's thread to the worker's: all of it, in order, as it comes."""

from __future__ import annotations

import threading

import numpy as np

from ros_mbmrl.nodes.mailbox import CommandLog, Mailbox


def test_the_mailbox_gives_all_of_it_in_order() -> None:
    box: Mailbox[int] = Mailbox(capacity=3)
    for item in range(5):
        box.put(item)
    assert box.take(0.0) == [2, 3, 4]
    assert box.take(0.0) == []


def test_who_takes_is_woken_by_who_puts() -> None:
    box: Mailbox[int] = Mailbox()
    thread = threading.Thread(target=lambda: box.put(1))
    thread.start()
    assert box.take(10.0) == [1]
    thread.join()


def test_the_command_log_waits_for_what_comes_late() -> None:
    log = CommandLog()
    thread = threading.Thread(target=lambda: log.put(7, np.ones(2)))
    thread.start()
    got = log.wait(7, 10.0)
    thread.join()
    assert got is not None and got.tolist() == [1.0, 1.0]
    assert log.wait(8, 0.0) is None


def test_the_newest_command_for_a_state_counts() -> None:
    log = CommandLog()
    log.put(7, np.ones(2))
    log.put(7, np.zeros(2))
    got = log.wait(7, 0.0)
    assert got is not None and got.tolist() == [0.0, 0.0]


def test_the_command_log_forgets_the_oldest() -> None:
    log = CommandLog(capacity=2)
    for stamp in (1, 2, 3):
        log.put(stamp, np.full(2, float(stamp)))
    assert log.wait(1, 0.0) is None
    assert all(log.wait(stamp, 0.0) is not None for stamp in (2, 3))


def test_a_command_that_the_plant_was_not_given_is_not_waited_for() -> None:
    log = CommandLog()
    log.put(7, np.ones(2))
    log.put(7, None)
    assert log.wait(7, 60.0) is None
