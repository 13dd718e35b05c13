"""What was sent against what arrived, and stamps against the steady clock."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("rclpy")

from ros_mbmrl.nodes.peers import Echo, PeerWatch


def echo() -> Echo:
    made = Echo(np.zeros(2))
    for stamp in (1, 2, 3):
        made.sent(stamp, np.array([float(stamp), 10.0]))
    return made


@pytest.mark.parametrize(
    ("told", "foreign"),
    [
        ("(3.0, 10.0)", False),
        ("(2.0, 10.0)", False),  # ours of the step before: the newer came late
        ("(0.0, 0.0)", False),
        ("(1.0, 10.0)", True),  # somebody repeats it
        ("(3.0, 11.0)", True),
        ("(nan, nan)", True),
        ("nonsense", True),
        ("", True),
    ],
)
def test_what_arrived(told: str, foreign: bool) -> None:
    made = echo()
    assert made.told(3, told) is foreign
    assert made.foreign == foreign


def test_a_proposal_says_itself_what_it_answers() -> None:
    assert not echo().told(3, "(3.0, 10.0)", late=False)
    assert echo().told(3, "(2.0, 10.0)", late=False)


def test_a_state_that_we_know_nothing_of_is_not_judged() -> None:
    assert not echo().told(9, "(7.0, 7.0)")
    assert not Echo(np.zeros(2)).told(1, "(7.0, 7.0)")


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
    assert watch.complaint(0.0) == "command/safe has 2 publishers"


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
    assert watch.complaint(0.0) == "odom has 2 publishers"
