"""Nothing moves without the dead-man button."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ros_mbmrl.collection.joystick import Joystick, JoystickConfig, JoystickDevice
from ros_mbmrl.collection.requests import Kind, Request
from ros_mbmrl.errors import UserError

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
    with pytest.raises(ValueError, match="still_timeout: expected above 0 s, got nan"):
        JoystickConfig(still_timeout=math.nan)
    with pytest.raises(ValueError, match="deadman_timeout: expected above 0 s"):
        JoystickConfig(deadman_timeout=-1.0)


def test_the_same_bits_do_not_count_for_ever_however_often_they_come(clock: Any) -> None:
    joystick = Joystick(clock)
    drove = 0.0
    for _ in range(600):
        joystick.update(AXES, buttons(4), stamp=clock.now + 7e8)
        drove += 0.05 * (joystick.sticks() is not None)
        clock.now += 0.05
    assert drove == pytest.approx(5.0, abs=0.06)
    assert "no change for 5 s" in joystick.doubt
    assert joystick.held()  # leave to move at random lasts for longer
    clock.now += 0.1
    joystick.update([0.25, 0.7499], buttons(4), stamp=clock.now + 7e8)
    assert joystick.sticks() == (0.7499, 0.25)
    assert joystick.doubt == ""


def test_leave_to_move_ends_as_well(clock: Any) -> None:
    joystick = Joystick(clock)
    for _ in range(302):
        joystick.update(AXES, buttons(4))
        clock.now += 0.1
    assert not joystick.held()
    joystick.update(AXES, buttons(4, 5))
    assert joystick.held()


@pytest.mark.parametrize(
    "clock_of_sender",
    [lambda now: now, lambda now: 1.7e9 + now, lambda now: 1.7e9 + 1.0001 * now, lambda now: None],
    ids=["same", "another", "fast", "none"],
)
def test_stamps_of_any_clock_count_as_long_as_they_advance(
    clock: Any, clock_of_sender: Callable[[float], float | None]
) -> None:
    joystick, rng = Joystick(clock), random.Random(0)
    for k in range(2000):
        clock.now += rng.uniform(0.001, 0.1)
        stamp = clock_of_sender(clock.now - rng.uniform(0.0, 0.2))  # the network's delay
        joystick.update([0.0, k / 2000], buttons(4), stamp)
        assert joystick.sticks() == (k / 2000, 0.0)


@pytest.mark.parametrize(
    "stamp",
    [lambda s: 100.0, lambda s: 100.0 + 0.5 * s, lambda s: 100.0 - s, lambda s: 99.0 + s % 1.0],
    ids=["repeated", "a growing queue", "backwards", "the same second again and again"],
)
def test_old_stamps_do_not_count_whatever_they_say(
    clock: Any, stamp: Callable[[float], float]
) -> None:
    joystick = Joystick(clock)
    for k in range(100):
        joystick.update([0.0, k / 100], buttons(4), stamp(0.05 * k))
        assert k > 0 or joystick.sticks() is not None
        clock.now += 0.05
    assert joystick.sticks() is None and not joystick.held()
    assert "its stamps lag by more than 0.5 s" in joystick.doubt


def test_a_stamp_that_is_repeated_is_as_old_as_it_says(clock: Any) -> None:
    """On its way and since it came count together: half a second, not twice that."""
    joystick, began = Joystick(clock), clock.now
    while joystick.update([0.0, clock.now], buttons(4), 100.0) is not None and joystick.sticks():
        clock.now += 0.05
    assert clock.now - began == pytest.approx(0.55)


def test_after_the_senders_clock_was_set_a_release_is_needed(clock: Any) -> None:
    joystick = Joystick(clock)

    def say(offset: float, *down: int) -> None:
        clock.now += 0.05
        joystick.update([0.0, clock.now], buttons(*down), clock.now + offset)

    say(1000.0, 4)
    assert joystick.held()
    for _ in range(100):
        say(0.0, 4)  # set back by 1000 s: the same as a message that is that old
    assert not joystick.held()
    say(0.0)
    say(0.0, 4)
    assert joystick.held()


def test_what_is_no_number_does_not_drive(clock: Any) -> None:
    joystick = Joystick(clock)
    for wrong in (math.nan, math.inf):
        joystick.update([0.0, wrong], buttons(4))
        assert joystick.sticks() is None
        assert joystick.doubt == "expected finite numbers on axes 1 and 0"


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


def test_a_device_out_of_range_does_not_drive_on(clock: Any, device: tuple[Path, Any]) -> None:
    path, say = device
    joystick = Joystick(clock)
    reader = JoystickDevice(path, joystick)
    say((0, 0x81, 4), (0, 0x82, 0), (0, 0x82, 1), (1, 1, 4), (-32767, 2, 1))
    drove = 0.0
    for _ in range(300):
        reader.requests()
        drove += 0.1 * (joystick.sticks() is not None)
        clock.now += 0.1
    assert drove == pytest.approx(5.0, abs=0.11)
    say((-32000, 2, 1))
    reader.requests()
    assert joystick.sticks() is not None
    reader.close()


def test_a_joystick_that_is_not_there_is_refused(tmp_path: Path, clock: Any) -> None:
    with pytest.raises(UserError, match="No such file"):
        JoystickDevice(tmp_path / "js7", Joystick(clock))
