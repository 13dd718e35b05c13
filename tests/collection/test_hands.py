"""The devices of an operator, opened and read together."""

from __future__ import annotations

import os
import pty
import threading
from pathlib import Path
from typing import Any

import pytest

from ros_mbmrl.collection.hands import Hands
from ros_mbmrl.collection.mapping import steering
from ros_mbmrl.collection.requests import Kind, Request
from ros_mbmrl.errors import UserError
from ros_mbmrl.robots import make_robot


def test_a_lone_joysticks_dead_man_button_gives_leave(clock: Any, device: tuple[Path, Any]) -> None:
    path, say = device
    with Hands(None, path, threading.Event(), clock) as hands:
        source = hands.sources(steering(make_robot("hexapod"), 1.0))["joystick"]
        assert not hands.unattended and not hands.permit() and source() is None
        say((1, 1, 4), (-32767, 2, 1), (0, 2, 0))
        assert hands.wait(1.0)
        assert hands.requests() == []
        assert hands.permit()
        assert source() is not None
        assert not hands.gone


def test_a_terminal_asks_and_a_robot_may_move_on_its_own(clock: Any) -> None:
    ours, theirs = pty.openpty()
    device = Path(os.ttyname(theirs))
    with Hands(device, None, threading.Event(), clock) as hands:
        assert set(hands.sources(steering(make_robot("hexapod"), 1.0))) == {"keyboard"}
        assert hands.permit() and not hands.unattended
        os.write(ours, b"\r")
        assert hands.wait(5.0)
        assert hands.requests() == [Request(Kind.EPISODE)]
        assert not hands.wait(0.0)
        assert hands.requests() == []
        os.close(ours)
        assert hands.wait(5.0)
        assert hands.requests() == [] and hands.gone
    os.close(theirs)


def test_without_a_device_there_is_nobody_and_only_the_end_is_waited_for(clock: Any) -> None:
    ending = threading.Event()
    ending.set()
    with Hands(None, None, ending, clock) as hands:
        assert hands.unattended and hands.permit() and not hands.gone
        assert hands.sources(steering(make_robot("hexapod"), 1.0)) == {}
        assert not hands.wait(60.0)  # at once
        assert hands.requests() == [] and hands.doubt == ""


def test_a_terminal_that_cannot_be_had_closes_the_joystick_again(
    clock: Any, device: tuple[Path, Any], tmp_path: Path
) -> None:
    hands = Hands(tmp_path / "no terminal", device[0], threading.Event(), clock)
    opened = len(os.listdir("/proc/self/fd"))
    with pytest.raises(UserError, match="expected a terminal"), hands:
        pass
    assert len(os.listdir("/proc/self/fd")) == opened
