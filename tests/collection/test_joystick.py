"""Nothing moves without the dead-man button."""

from __future__ import annotations

import os
import struct
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ros_mbmrl.collection.hands import Hands
from ros_mbmrl.collection.joystick import Joystick, JoystickConfig, JoystickDevice
from ros_mbmrl.collection.mapping import steering
from ros_mbmrl.collection.requests import Kind, Request
from ros_mbmrl.errors import UserError
from ros_mbmrl.robots import make_robot

AXES = [0.25, 0.75]  # turn, forward


def buttons(*down: int) -> list[int]:
    return [int(k in down) for k in range(8)]


def test_the_sticks_count_while_the_dead_man_button_is_held_and_fresh(clock: Any) -> None:
    joystick = Joystick(clock)
    assert joystick.sticks() is None
    joystick.update(AXES, buttons())
    assert joystick.sticks() is None
    joystick.update(AXES, buttons(4))
    assert joystick.sticks() == (0.75, 0.25)
    clock.now += 0.51
    assert joystick.sticks() is None
    assert not joystick.held()


def test_too_few_axes_or_buttons_are_a_release(clock: Any) -> None:
    joystick = Joystick(clock)
    joystick.update([0.5], buttons(4))
    assert joystick.sticks() is None
    joystick.update(AXES, [1, 1])
    assert joystick.sticks() is None


def test_a_button_asks_once_when_it_goes_down(clock: Any) -> None:
    joystick = Joystick(clock)
    assert joystick.update(AXES, buttons(7)) == []  # it was down from the start
    assert joystick.update(AXES, buttons()) == []
    assert joystick.update(AXES, buttons(7, 1)) == [Request(Kind.HALT), Request(Kind.EPISODE)]
    assert joystick.update(AXES, buttons(7, 1)) == []
    assert joystick.update(AXES, buttons(6, 0)) == [Request(Kind.DISCARD), Request(Kind.TERRAIN)]


def test_numbers_of_axes_and_buttons_are_checked() -> None:
    with pytest.raises(ValueError, match="deadman_button: expected 0 or more, got -1"):
        JoystickConfig(deadman_button=-1)
    with pytest.raises(ValueError, match="joy_timeout: expected above 0 s"):
        JoystickConfig(timeout=0.0)


@pytest.fixture
def device(tmp_path: Path) -> Iterator[tuple[Path, Any]]:
    """A pipe that says what the kernel would."""
    path = tmp_path / "js0"
    os.mkfifo(path)
    writer = os.open(path, os.O_RDWR)

    def say(*events: tuple[int, int, int]) -> None:
        for value, kind, number in events:
            os.write(writer, struct.pack("<IhBB", 1234, value, kind, number))

    yield path, say
    os.close(writer)


def test_a_device_of_the_kernel(clock: Any, device: tuple[Path, Any]) -> None:
    path, say = device
    joystick = Joystick(clock)
    reader = JoystickDevice(path, joystick)
    say(*((0, 0x81, k) for k in range(8)), (0, 0x82, 0), (0, 0x82, 1))
    assert reader.requests() == []
    assert joystick.sticks() is None
    say((1, 1, 4), (-32767, 2, 1), (16384, 2, 0))  # stick forward, half right
    assert reader.requests() == []
    forward, turn = joystick.sticks() or (0.0, 0.0)
    assert (forward, turn) == (1.0, pytest.approx(-0.5, abs=1e-4))
    clock.now += 10.0  # a stick that is held still says nothing
    say((1, 1, 7), (0, 1, 7))  # pressed and let go between two looks
    assert reader.requests() == [Request(Kind.EPISODE)]
    assert joystick.held()
    reader.close()


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


def test_a_joystick_that_is_not_there_is_refused(tmp_path: Path, clock: Any) -> None:
    with pytest.raises(UserError, match="No such file"):
        JoystickDevice(tmp_path / "js7", Joystick(clock))
