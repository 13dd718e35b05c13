"""The campaign's gamepad and its neighbour: what they say, whole and broken."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

pytest.importorskip("rclpy")
from rclpy.node import Node

from ros_mbmrl.nodes.fault_watch import NEIGHBOUR, NEIGHBOURS, FaultWatch
from ros_mbmrl.nodes.messages import diagnostics, from_stamp, status
from ros_mbmrl.nodes.qos import listen

Until = Callable[[Callable[[], bool]], None]


@pytest.fixture
def watch(context: Any, spin: Any) -> FaultWatch:
    """A watch, and a node beside it that keeps what it says."""
    made = FaultWatch(disturbed=False, context=context, namespace="/hexapod")
    listener = Node("listener", context=context, namespace="/hexapod")
    made.joy, made.lines = [], []  # type: ignore[attr-defined]
    listen(listener, "joy", made.joy.append)  # type: ignore[attr-defined]
    listen(listener, "/diagnostics", lambda m: made.lines.extend(m.status))  # type: ignore
    spin(made, listener)
    return made


def test_a_gamepad_trembles_until_it_is_broken(watch: Any, until: Until) -> None:
    def said() -> tuple[int, int]:
        """How many of the newest messages differ in their stamp and in their bits."""
        newest = watch.joy[-8:]
        stamps = {from_stamp(m.header.stamp) for m in newest}
        return len(stamps), len({tuple(m.axes) for m in newest})

    watch.gamepad.pressed = True
    for trouble, expected in (("", (8, 2)), ("same_bits", (8, 1)), ("old_stamps", (1, 2))):
        watch.gamepad.trouble = trouble
        until(lambda expected=expected: len(watch.joy) > 8 and said() == expected)
    assert watch.joy[-1].buttons[4] == 1
    watch.gamepad.trouble = "silent"
    count = len(watch.joy)
    watch.neighbour = True  # spoken at the same beat
    until(lambda: len(watch.lines) >= 10 * len(NEIGHBOURS))
    assert len(watch.joy) <= count + 1


def test_a_neighbour_speaks_in_its_own_name(watch: Any, until: Until) -> None:
    watch.neighbour = True
    until(
        lambda: (
            {line.name for line in watch.lines} == {f"{NEIGHBOUR}/{name}" for name in NEIGHBOURS}
        )
    )
    assert {line.hardware_id for line in watch.lines} == {NEIGHBOUR}
    assert watch.seen.safety == []  # nor does the watch take it for the graph's


def test_numbers_of_the_driver_come_back_also_those_that_are_none(watch: Any) -> None:
    told = {"given": ((1.5, 2.0, math.nan), (1.6, math.inf, -math.inf)), "rested_at": math.nan}
    watch._on_diagnostics(diagnostics(1_500_000_000, status("driver", "timing", "hexapod", told)))
    ((_, values),) = watch.seen.driver
    assert np.array(values["given"], dtype=float) == pytest.approx(
        np.array(told["given"]), nan_ok=True
    )
    assert math.isnan(values["rested_at"]) and values["stamp_s"] == 1.5
